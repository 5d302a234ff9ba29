CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE venues (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, short TEXT NOT NULL, type TEXT NOT NULL, publisher TEXT, homepage TEXT
) WITHOUT ROWID;
CREATE TABLE facets (
  id TEXT PRIMARY KEY, label TEXT NOT NULL, question TEXT NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE terms (
  facet TEXT NOT NULL REFERENCES facets (id), id TEXT NOT NULL, label TEXT NOT NULL, definition TEXT NOT NULL,
  broader TEXT,
  PRIMARY KEY (facet, id),
  FOREIGN KEY (facet, broader) REFERENCES terms (facet, id) DEFERRABLE INITIALLY DEFERRED
) WITHOUT ROWID;
-- `introduced_by`, `relations.other`, `source_rows.record` and `sources.paper` may name a paper that the filter left out.
CREATE TABLE datasets (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, full_name TEXT, year INTEGER, description TEXT NOT NULL, instances INTEGER,
  shape TEXT, classes INTEGER, license TEXT, homepage TEXT, personal_data INTEGER, introduced_by TEXT
) WITHOUT ROWID;
CREATE TABLE metrics (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, full_name TEXT, compares TEXT NOT NULL, description TEXT NOT NULL,
  formula TEXT, better_for_attacker TEXT NOT NULL, better_for_defender TEXT NOT NULL, unit TEXT,
  blind_to TEXT NOT NULL, introduced_by TEXT
) WITHOUT ROWID;
CREATE TABLE sources (id TEXT PRIMARY KEY, title TEXT NOT NULL, kind TEXT NOT NULL, url TEXT, paper TEXT) WITHOUT ROWID;
CREATE TABLE papers (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, year INTEGER NOT NULL, venue TEXT REFERENCES venues (id), volume TEXT,
  issue TEXT, pages TEXT, kind TEXT NOT NULL, status TEXT, status_reason TEXT, summary TEXT, doi TEXT, arxiv TEXT,
  url TEXT, added TEXT, citation TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE authors (
  paper TEXT NOT NULL REFERENCES papers (id), position INTEGER NOT NULL, name TEXT NOT NULL, family TEXT NOT NULL,
  given TEXT, suffix TEXT,
  PRIMARY KEY (paper, position)
) WITHOUT ROWID;
CREATE TABLE paper_methods (
  paper TEXT NOT NULL REFERENCES papers (id), position INTEGER NOT NULL, method TEXT NOT NULL,
  PRIMARY KEY (paper, position)
) WITHOUT ROWID;
CREATE TABLE paper_other_titles (
  paper TEXT NOT NULL REFERENCES papers (id), position INTEGER NOT NULL, title TEXT NOT NULL,
  PRIMARY KEY (paper, position)
) WITHOUT ROWID;
CREATE TABLE paper_terms (
  paper TEXT NOT NULL REFERENCES papers (id), facet TEXT NOT NULL, term TEXT NOT NULL,
  PRIMARY KEY (paper, facet, term),
  FOREIGN KEY (facet, term) REFERENCES terms (facet, id)
) WITHOUT ROWID;
CREATE TABLE paper_datasets (
  paper TEXT NOT NULL REFERENCES papers (id), dataset TEXT NOT NULL REFERENCES datasets (id),
  PRIMARY KEY (paper, dataset)
) WITHOUT ROWID;
CREATE TABLE paper_metrics (
  paper TEXT NOT NULL REFERENCES papers (id), metric TEXT NOT NULL REFERENCES metrics (id),
  PRIMARY KEY (paper, metric)
) WITHOUT ROWID;
CREATE TABLE links (
  paper TEXT NOT NULL REFERENCES papers (id), kind TEXT NOT NULL, position INTEGER NOT NULL, url TEXT NOT NULL,
  PRIMARY KEY (paper, kind, position)
) WITHOUT ROWID;
CREATE TABLE relations (
  paper TEXT NOT NULL REFERENCES papers (id), verb TEXT NOT NULL, other TEXT NOT NULL, how TEXT,
  PRIMARY KEY (paper, verb, other)
) WITHOUT ROWID;
CREATE TABLE reported (
  paper TEXT NOT NULL REFERENCES papers (id), metric TEXT NOT NULL, value REAL, unit TEXT, dataset TEXT, target TEXT,
  method TEXT, setting TEXT, place TEXT NOT NULL, evidence TEXT NOT NULL
);
CREATE TABLE evidence (
  paper TEXT NOT NULL REFERENCES papers (id), url TEXT NOT NULL,
  PRIMARY KEY (paper, url)
) WITHOUT ROWID;
CREATE TABLE source_rows (
  source TEXT NOT NULL REFERENCES sources (id), position INTEGER NOT NULL, place TEXT NOT NULL, title TEXT NOT NULL,
  resolves_to TEXT NOT NULL, record TEXT, unresolved TEXT, says TEXT, note TEXT,
  PRIMARY KEY (source, position)
) WITHOUT ROWID;
CREATE INDEX papers_by_year ON papers (year);
CREATE INDEX papers_by_venue ON papers (venue);
CREATE INDEX papers_by_term ON paper_terms (facet, term);
CREATE INDEX papers_by_dataset ON paper_datasets (dataset);
CREATE INDEX papers_by_metric ON paper_metrics (metric);
CREATE INDEX relations_by_other ON relations (other);
CREATE INDEX source_rows_by_record ON source_rows (record);
CREATE VIEW paper_list AS
  SELECT papers.id, title, year, venues.short AS venue, kind, status, summary, url,
    (SELECT group_concat(name, '; ') FROM (SELECT name FROM authors WHERE paper = papers.id ORDER BY position)) AS authors
  FROM papers LEFT JOIN venues ON venues.id = papers.venue;
-- SELECT id FROM paper_search WHERE paper_search MATCH 'gradient NEAR leakage' ORDER BY rank;
CREATE VIRTUAL TABLE paper_search USING fts5 (
  id UNINDEXED, title, authors, summary, methods, tokenize = "unicode61 remove_diacritics 2"
);
