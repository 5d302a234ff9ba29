// The fields of papers as rows: each cell a list of values, so that rows can be compared, shown and exported alike.

const LINKS = [
  ["paper", "Paper"],
  ["pdf", "PDF"],
  ["project", "Project"],
  ["video", "Video"],
  ["slides", "Slides"],
  ["poster", "Poster"],
  ["archive", "Archived copy"],
];

/** The rows in which at least one of the papers holds something; `facets` are pairs of id and label. */
export function rows(papers, facets) {
  const found = [
    row("Title", papers, (paper) => [{ text: paper.title, url: paper.url, local: true }]),
    row("Authors", papers, (paper) => paper.authors.map((author) => ({ text: givenFirst(author) }))),
    row("Year", papers, (paper) => one(paper.year)),
    row("Venue", papers, (paper) => one(paper.venue?.short, paper.venue && `venues/${paper.venue.id}/`)),
    row("Volume", papers, (paper) => one(paper.volume)),
    row("Issue", papers, (paper) => one(paper.issue)),
    row("Pages", papers, (paper) => one(paper.pages)),
    row("Kind", papers, (paper) => one(paper.kind)),
    row("Status", papers, (paper) => (paper.status ? [{ text: paper.status.state, note: paper.status.reason }] : [])),
    row("Methods", papers, (paper) => paper.methods.map((text) => ({ text }))),
    row("Summary", papers, (paper) => one(paper.summary)),
    ...facets.map(([id, label]) =>
      row(label, papers, (paper) => (paper.taxonomy[id] ?? []).map((term) => ({ text: term.label }))),
    ),
    row("Datasets", papers, (paper) => paper.datasets.map(named)),
    row("Metrics", papers, (paper) => paper.metrics.map(named)),
    ...reported(papers),
    row("Relations between these", papers, (paper) => relations(paper, papers)),
    row("DOI", papers, (paper) => one(paper.links.doi, paper.links.doi && doiAddress(paper.links.doi))),
    row("arXiv", papers, (paper) => one(paper.links.arxiv, paper.links.arxiv && arxivAddress(paper.links.arxiv))),
    row("Code", papers, (paper) => paper.links.code.map(linked)),
    row("Reimplementation", papers, (paper) => paper.links.reimplementation.map(linked)),
    row("Other links", papers, (paper) =>
      LINKS.filter(([key]) => paper.links[key]).map(([key, text]) => ({ text, url: paper.links[key] })),
    ),
    row("Also titled", papers, (paper) => paper.other_titles.map((text) => ({ text }))),
    row("Listed by", papers, (paper) => listings(paper)),
    row("Not confirmed", papers, (paper) => Object.keys(paper.unconfirmed).map((text) => ({ text }))),
  ];
  return found.filter((found) => found.cells.some((cell) => cell.length));
}

/** Whether all papers hold the same in a row, in whatever order. */
export function isEqual(row) {
  const [first, ...others] = row.cells.map(key);
  return others.every((other) => other === first);
}

/** The values of a row that every paper has. */
export function shared(row) {
  const [first, ...others] = row.cells.map((cell) => new Set(cell.map((value) => value.text)));
  return new Set([...first].filter((text) => others.every((other) => other.has(text))));
}

/** Family names as a reader says them, from four on the first alone. */
export function shortAuthors(paper) {
  const families = paper.authors.map((author) => author.split(",")[0] || author);
  return families.length <= 3 ? families.join(", ") : `${families[0]} et al.`;
}

/** Where a paper is read: its DOI, its page, arXiv; "" where none is known. */
export function webAddress(paper) {
  const { doi, paper: page, arxiv, pdf } = paper.links;
  return (doi && doiAddress(doi)) || page || (arxiv && arxivAddress(arxiv)) || pdf || "";
}

/** What a value says in full, on one line. */
export function written(value) {
  return value.note ? `${value.text} (${value.note})` : value.text;
}

function row(label, papers, values) {
  return { label, cells: papers.map(values) };
}

function key(cell) {
  return JSON.stringify(cell.map(written).sort());
}

function one(value, url) {
  if (value === null || value === undefined || value === "") return [];
  return [{ text: String(value), url: url || undefined, local: Boolean(url) && !/^https?:/.test(url) }];
}

function named(record) {
  return { text: record.name, url: record.url ?? undefined, local: true };
}

function linked(url) {
  return { text: url.replace(/^https?:\/\/(www\.)?/, "").replace(/\/$/, ""), url };
}

function reported(papers) {
  const measures = new Map();
  for (const paper of papers) {
    for (const number of paper.reported) {
      const label = [`Reported ${number.metric.name}`, number.dataset?.name].filter(Boolean).join(", ");
      measures.set(label, [number.metric.id, number.dataset?.id]);
    }
  }
  return [...measures].sort().map(([label, [metric, dataset]]) =>
    row(label, papers, (paper) =>
      paper.reported
        .filter((number) => number.metric.id === metric && number.dataset?.id === dataset)
        .map((number) => ({
          text: [number.value, number.unit].filter((part) => part !== null && part !== undefined).join(" "),
          note: [number.method, number.target, number.setting].filter(Boolean).join(", "),
          url: number.evidence,
        })),
    ),
  );
}

function relations(paper, papers) {
  const beside = new Map(papers.map((other) => [other.id, other]));
  return paper.relations
    .filter((relation) => beside.has(relation.paper.id))
    .map((relation) => {
      const other = beside.get(relation.paper.id);
      const text = `${relation.verb.replaceAll("-", " ")} ${shortAuthors(other)} ${other.year}`;
      return { text, note: relation.how ?? "" };
    });
}

function listings(paper) {
  const sources = new Map(paper.listed_by.map(({ source }) => [source.id, source]));
  return [...sources.values()].map((source) => ({ text: source.title, url: source.url, local: true }));
}

function givenFirst(author) {
  const [family, given] = author.split(", ");
  return given ? `${given} ${family}` : family;
}

function doiAddress(doi) {
  return `https://doi.org/${encodeURI(doi).replaceAll("#", "%23").replaceAll("?", "%3F")}`;
}

function arxivAddress(id) {
  return `https://arxiv.org/abs/${id}`;
}
