"""Answers of the services as their documentation describes them, in our own words, for a work that does not exist."""

from __future__ import annotations

import json
from typing import Any

TITLE = "Mending Leaky Gradients with Sealing Wax"
AUTHORS = ("Müller, Jörg", "van der Berg, Anna", "Li, Bo")
DOI = "10.5555/3999999.1234567"
ARXIV = "2911.01234"

CROSSREF: dict[str, Any] = {
    "status": "ok",
    "message-type": "work",
    "message": {
        "DOI": DOI,
        "type": "proceedings-article",
        "title": ["Mending Leaky Gradients"],
        "subtitle": ["with Sealing Wax &amp; <i>String</i>"],
        "author": [
            {"given": "Jörg", "family": "Müller", "sequence": "first", "affiliation": []},
            {"given": "Anna", "family": "van der Berg", "sequence": "additional"},
            {"name": "The Wax Consortium", "sequence": "additional"},
        ],
        "container-title": ["Proceedings of the 41st ACM SIGSAC Conference on Computer and Communications Security"],
        "issued": {"date-parts": [[2029, 11, 3]]},
        "page": "12-25",
        "volume": "7",
        "issue": "2",
        "publisher": "ACM",
        "URL": f"http://dx.doi.org/{DOI}",
        "abstract": "<jats:p>We seal <jats:italic>gradients</jats:italic> against a white-box adversary.</jats:p>",
    },
}
DATACITE: dict[str, Any] = {
    "data": {
        "id": "10.7777/xyz",
        "type": "dois",
        "attributes": {
            "doi": "10.7777/XYZ",
            "titles": [{"title": TITLE}],
            "creators": [
                {"name": "Müller, Jörg", "givenName": "Jörg", "familyName": "Müller", "nameType": "Personal"},
                {"name": "The Wax Consortium", "nameType": "Organizational"},
            ],
            "publicationYear": 2029,
            "publisher": "A Repository",
            "descriptions": [{"description": "About wax.", "descriptionType": "Abstract"}],
        },
    }
}
ARXIV_FEED = f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
  <title type="html">ArXiv Query</title>
  <entry>
    <id>http://arxiv.org/abs/{ARXIV}v3</id>
    <updated>2030-01-01T00:00:00Z</updated>
    <published>2029-11-02T17:59:59Z</published>
    <title>Mending Leaky Gradients
  with Sealing Wax</title>
    <summary>We seal $\\ell_2$ gradients of a white-box model.</summary>
    <author><name>J{{\\"o}}rg M&#252;ller</name></author>
    <author><name>Anna van der Berg</name></author>
    <author><name>Bo Li</name></author>
    <arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">{DOI}</arxiv:doi>
    <link href="http://arxiv.org/abs/{ARXIV}v3" rel="alternate" type="text/html"/>
  </entry>
</feed>
"""
ARXIV_ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><entry>
<id>http://arxiv.org/api/errors#incorrect_id_format_for_x</id><title>Error</title><summary>incorrect id</summary>
</entry></feed>
"""
ARXIV_NOTHING = '<feed xmlns="http://www.w3.org/2005/Atom"><title>ArXiv Query</title></feed>'
DBLP = f"""<?xml version="1.0" encoding="US-ASCII"?>
<dblp>
<inproceedings key="conf/ccs/MullerBL29" mdate="2029-12-01">
<author orcid="0000-0000-0000-0000">J&#246;rg M&#252;ller 0002</author>
<author>Anna van der Berg</author>
<author>Bo Li</author>
<title>Mending Leaky Gradients with <i>Sealing</i> Wax.</title>
<pages>12-25</pages>
<year>2029</year>
<booktitle>CCS</booktitle>
<ee>https://doi.org/{DOI}</ee>
</inproceedings>
</dblp>
"""
OPENALEX: dict[str, Any] = {
    "id": "https://openalex.org/W1",
    "doi": f"https://doi.org/{DOI}",
    "title": TITLE,
    "publication_year": 2029,
    "type": "article",
    "authorships": [{"author": {"display_name": "Jörg Müller"}}, {"author": {"display_name": "Bo Li"}}],
    "primary_location": {
        "source": {"display_name": "CCS"},
        "landing_page_url": f"https://doi.org/{DOI}",
        "pdf_url": "https://papers.example.org/wax.pdf",
    },
    "biblio": {"volume": "7", "issue": "2", "first_page": "12", "last_page": "25"},
    "abstract_inverted_index": {"We": [0], "seal": [1], "gradients": [2], "with": [3], "wax.": [4]},
}
OPENREVIEW: dict[str, Any] = {
    "notes": [
        {
            "id": "aBcD1234",
            "forum": "aBcD1234",
            "pdate": 1_888_000_000_000,
            "content": {
                "title": {"value": TITLE},
                "authors": {"value": ["Jörg Müller", "Anna van der Berg", "Bo Li"]},
                "abstract": {"value": "We seal gradients."},
                "venue": {"value": "ICLR 2029 Poster"},
            },
        }
    ],
    "count": 1,
}
OPENREVIEW_OLD: dict[str, Any] = {
    "notes": [
        {
            "id": "aBcD1234",
            "forum": "aBcD1234",
            "cdate": 1_569_000_000_000,
            "content": {
                "title": TITLE,
                "authors": ["Jörg Müller", "Bo Li"],
                "abstract": "We seal.",
                "_bibtex": "@inproceedings{m,\ntitle={Mending},\nauthor={J},\nyear={2020}}",
            },
        }
    ]
}
ACL_BIB = """@inproceedings{muller-etal-2029-mending,
    title = "Mending Leaky Gradients with Sealing Wax",
    author = {M{\\"u}ller, J{\\"o}rg  and
      van der Berg, Anna  and
      Li, Bo},
    booktitle = "Proceedings of the 67th Annual Meeting of the Association for Computational Linguistics",
    month = jul,
    year = "2029",
    url = "https://aclanthology.org/2029.acl-long.1/",
    doi = "10.5555/v1/2029.acl-long.1",
    pages = "1--16",
}
"""
CVF_PAGE = """<!DOCTYPE html><html><head><title>CVPR</title></head><body>
<div id="papertitle">Mending Leaky Gradients with Sealing Wax</div>
<div class="bibref pre-white-space">@InProceedings{Muller_2029_CVPR,
    author    = {M\\"uller, J\\"org and van der Berg, Anna and Li, Bo},
    title     = {Mending Leaky Gradients with Sealing Wax},
    booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
    month     = {June},
    year      = {2029},
    pages     = {12-25}
}</div></body></html>
"""
HIGHWIRE_PAGE = """<!doctype html><html><head><meta charset="utf-8">
<meta name="citation_title" content="Mending Leaky Gradients with Sealing Wax &amp; String">
<meta name="citation_author" content="Müller, Jörg"><meta name="citation_author" content="Anna van der Berg">
<meta name="citation_publication_date" content="2029/08/14">
<meta name="citation_conference_title" content="38th USENIX Security Symposium (USENIX Security 29)">
<meta name="citation_firstpage" content="12"><meta name="citation_lastpage" content="25">
<meta name="citation_pdf_url" content="/system/files/sec29-muller.pdf">
<script>document.write("@misc{evil, title={Evil}}")</script></head><body>Read it.</body></html>
"""


def encoded(data: Any) -> bytes:
    """Return an answer as JSON."""
    return json.dumps(data).encode()
