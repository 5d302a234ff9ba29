// Explore: one query in a box decides everything on the page; facets and chips edit it, the address keeps it.

import { createAddress } from "./address.js";
import { element, number, plural, setText } from "./dom.js";
import { choose, isExclusion, without, withYears } from "./edit.js";
import { createExports } from "./exports.js";
import { createFacets } from "./facets.js";
import { QueryError, parse, shellWords, write } from "./query.js";
import { createResults } from "./results.js";
import { find, forgive, ordered, prepare } from "./search.js";
import { addTexts, readWorks } from "./works.js";
import * as selection from "../selection.js";

const FOLDER = new URL("../../explore/", import.meta.url);
const ORDERS = ["newest", "oldest", "title", "relevance", "listed", "related"];
const SETTLED = 700;
const ANNOUNCED = 500;
const COMPARED = { least: 2, most: 8 };

const part = (name) => document.getElementById(`explore-${name}`);
const [box, count, live, wrong, forgiven, chips] = ["box", "count", "live", "wrong", "forgiven", "chips"].map(part);
const [sort, command, gathered] = ["sort", "command", "gathered"].map(part);

const main = async () => {
  const arriving = fetchJson("texts.json");
  // Told where it is awaited, so that nothing is reported as unhandled until then.
  arriving.catch(() => {});
  const atlas = readWorks(await fetchJson("works.json"));
  const page = createPage(atlas);
  page.start();
  try {
    addTexts(atlas, await matching(atlas, arriving));
  } catch (error) {
    part("late").textContent = `Summaries could not be read (${error.message}), so words are not looked for in them.`;
    return;
  }
  page.refresh();
  await prepare(atlas);
  page.refreshForgiven();
};

const fetchJson = async (name, cache = "default") => {
  const answer = await fetch(new URL(name, FOLDER), { cache });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
};

/** Return the texts of the same works; where a cache kept those of an older build, ask again. */
const matching = async (atlas, arriving) => {
  const texts = await arriving;
  if (texts.key === atlas.key) return texts;
  const fresh = await fetchJson("texts.json", "reload");
  if (fresh.key !== atlas.key) throw new Error("they are of another build; reload the page");
  return fresh;
};

const createPage = (atlas) => {
  const state = { text: "", order: "", view: "cards", only: false, chosen: [], readable: "", found: null, clauses: [], hits: [] };
  const works = new Set(atlas.ids);
  const picked = () => selection.selected().filter((id) => works.has(id));
  const results = createResults(part("results"), document.querySelector("#explore-page .tools"), atlas, { pick: (id) => selection.toggle(id) });
  const paintFacets = createFacets(part("facets"), atlas, {
    choose: (field, id, chosen) => edit((text) => choose(atlas, text, field, id, chosen)),
    setYears: (first, last) => edit((text) => withYears(atlas, text, first, last)),
  });
  const openExports = createExports(part("dialog"), part("export"), () => ({
    hits: state.hits.map((at) => atlas.ids[at]),
    selection: picked(),
  }));
  const typing = burst(SETTLED);
  const address = createAddress();
  const announce = debounced(ANNOUNCED, (text) => (live.textContent = text));
  const complain = debounced(ANNOUNCED, paintError);
  let facetsDue = 0;

  /** Find and paint what the state asks for; returns whether the query could be read. */
  const run = () => {
    let asked;
    try {
      asked = parse(state.text, atlas.longest);
      const read = forgive(atlas, asked);
      state.found = find(atlas, read.clauses, state.only ? new Set(state.chosen) : null);
      state.clauses = read.clauses;
      paintForgiven(read.forgiven);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      // What the shell knows by another spelling is known here once the texts are.
      if (atlas.texts) complain(state.text, error);
      box.setAttribute("aria-invalid", String(Boolean(atlas.texts)));
      part("results").classList.add("stale");
      return false;
    }
    complain.stop();
    paintError(state.text, null);
    state.readable = state.text;
    state.hits = ordered(atlas, state.found.hits, effectiveOrder(state), state.clauses);
    results.show(state.hits, state.view);
    paintCount();
    cancelAnimationFrame(facetsDue);
    // The hits are on the screen before the counts beside them are worked out.
    facetsDue = requestAnimationFrame(() => setTimeout(() => paintBeside(asked)));
    return true;
  };

  const paintCount = () => {
    const text = `${number(state.hits.length)} of ${plural(atlas.count, "work")}`;
    setText(count, text);
    announce(text);
  };

  const paintBeside = (asked) => {
    paintFacets(state.found, asked);
    paintChips(asked);
    const words = shellWords([...onlyClause(), ...state.clauses]);
    command.textContent = words ? `atlas search ${words}` : "atlas search";
    sort.querySelector("[value=relevance]").disabled = !hasWords(state.clauses);
    sort.value = effectiveOrder(state);
    part("clear").hidden = !state.text && !state.only;
    const filters = asked.filter(({ field }) => field !== "text").length;
    part("filters-count").textContent = filters ? ` (${filters})` : "";
  };

  const onlyClause = () => (state.only ? [{ field: "id", operator: "=", values: state.chosen, negated: false }] : []);

  const paintChips = (asked) => {
    const made = asked.flatMap((clause, clauseAt) => (clause.free ? [] : clause.values.map((_, valueAt) => chip(clause, clauseAt, valueAt))));
    chips.replaceChildren(...made);
  };

  const chip = (clause, clauseAt, valueAt) => {
    const one = write({ ...clause, values: [clause.values[valueAt]] }).replace(/^-/, "");
    const text = isExclusion(clause) ? `not ${one.replace("!=", "=")}` : one;
    const remove = () => {
      edit((query) => without(atlas, query, clauseAt, valueAt));
      box.focus();
    };
    return element("li", { class: isExclusion(clause) ? "out" : "in" }, element("button", { type: "button", "aria-label": `Remove ${text}`, onclick: remove }, text));
  };

  /** Change the query by something other than typing: one step in the history. */
  const edit = (change) => {
    const base = isReadable(atlas, state.text) ? state.text : state.readable;
    state.text = box.value = change(base);
    typing.end();
    commit();
  };

  const commit = () => {
    run();
    address.step(addressOf(state));
  };

  const read = () => {
    const asked = new URLSearchParams(location.search);
    const order = asked.get("sort") ?? "";
    state.text = box.value = asked.get("q") ?? "";
    state.order = ORDERS.includes(order) ? order : "";
    state.view = asked.get("view") === "table" ? "table" : "cards";
    state.only = asked.get("selected") === "1";
    state.chosen = picked();
    part(state.view).checked = true;
    paintGathered();
  };

  const paintGathered = () => {
    const ids = picked();
    gathered.hidden = !ids.length && !state.only;
    document.body.classList.toggle("has-gathered", !gathered.hidden);
    part("gathered-count").textContent = `${plural(ids.length, "work")} selected`;
    part("only").setAttribute("aria-pressed", String(state.only));
    const fits = ids.length >= COMPARED.least && ids.length <= COMPARED.most;
    const compare = part("compare");
    compare.hidden = !fits;
    compare.href = `../compare/?ids=${ids.map(encodeURIComponent).join(",")}`;
    part("compare-why").hidden = fits;
  };

  const endTyping = () => {
    typing.end();
    address.write();
  };

  const listen = () => {
    box.addEventListener("input", () => {
      state.text = box.value;
      run();
      address.type(addressOf(state), typing.begin());
    });
    box.addEventListener("keydown", ({ key }) => {
      if (key === "Enter") endTyping();
    });
    box.addEventListener("blur", endTyping);
    addEventListener("pagehide", address.write);
    sort.addEventListener("change", () => ((state.order = sort.value), commit()));
    for (const view of ["cards", "table"]) part(view).addEventListener("change", () => ((state.view = view), commit()));
    part("clear").addEventListener("click", () => {
      state.only = false;
      edit(() => "");
      paintGathered();
      box.focus();
    });
    part("only").addEventListener("click", () => {
      state.only = !state.only;
      // What is left out from now on stays in sight, so that it can be taken back.
      state.chosen = picked();
      if (state.only) state.text = box.value = "";
      commit();
      paintGathered();
    });
    part("all").addEventListener("click", () => selection.add(state.hits.map((at) => atlas.ids[at])));
    part("forget").addEventListener("click", () => {
      selection.clear();
      if (state.only) {
        state.only = false;
        commit();
        paintGathered();
      }
      box.focus();
    });
    part("gathered-export").addEventListener("click", () => openExports("selection"));
    part("filters").addEventListener("click", ({ currentTarget }) => {
      const open = currentTarget.getAttribute("aria-expanded") === "false";
      currentTarget.setAttribute("aria-expanded", String(open));
      part("facets").classList.toggle("open", open);
    });
    part("copy-command").hidden = !navigator.clipboard;
    part("copy-command").addEventListener("click", async ({ currentTarget }) => {
      await navigator.clipboard.writeText(command.textContent);
      currentTarget.textContent = "Copied";
      setTimeout(() => (currentTarget.textContent = "Copy"), 1500);
    });
    selection.onChange(() => {
      paintGathered();
      results.paintSelection();
    });
    addEventListener("popstate", () => {
      typing.end();
      address.forget();
      read();
      run();
    });
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
      event.preventDefault();
      box.focus();
      box.select();
    });
  };

  return {
    start() {
      read();
      listen();
      for (const control of document.querySelectorAll("#explore-page [disabled]")) control.disabled = control.hasAttribute("data-never");
      // Until the summaries are here, the works the server wrote stand for an empty query as they are.
      if (!location.search || !run()) paintStart();
      document.getElementById("explore-page").dataset.ready = "works";
    },
    refresh() {
      results.forget();
      run();
      document.getElementById("explore-page").dataset.ready = "texts";
    },
    refreshForgiven() {
      if (!state.hits.length) run();
      document.getElementById("explore-page").dataset.ready = "all";
    },
  };

  function paintStart() {
    state.found = find(atlas, []);
    state.hits = state.found.hits;
    paintCount();
    paintBeside([]);
  }
};

/** Say what is wrong with a query and where, or that nothing is. */
const paintError = (text, error) => {
  // At most keys there is none, and was none before.
  if (!error && wrong.hidden && box.getAttribute("aria-invalid") === "false") return;
  wrong.hidden = !error;
  box.setAttribute("aria-invalid", String(Boolean(error)));
  part("results").classList.toggle("stale", Boolean(error));
  part("stale").hidden = !error;
  wrong.replaceChildren();
  if (!error) return;
  const chars = [...text];
  const before = chars.slice(0, error.position).join("");
  const rest = chars.slice(error.position).join("");
  const [clause] = rest.match(/^(?:"[^"]*"|\S)*/) ?? [""];
  const shown = element("code", {}, before.slice(-60), element("mark", {}, (clause || rest).slice(0, 60)));
  const says = `${error.problem}; ${error.hint} (character ${error.position + 1})`;
  wrong.replaceChildren(element("span", {}, says), " ", shown);
};

const paintForgiven = (found) => {
  if (!found.length && forgiven.hidden) return;
  forgiven.hidden = !found.length;
  forgiven.replaceChildren(...found.map(({ word, values }) => element("span", {}, `No work has “${word}”; shown is ${values.map((value) => `“${value}”`).join(" or ")}. `)));
};

const effectiveOrder = ({ order, clauses }) => {
  if (order && !(order === "relevance" && !hasWords(clauses))) return order;
  return hasWords(clauses) ? "relevance" : "newest";
};

const hasWords = (clauses) => clauses.some(({ field, negated }) => field === "text" && !negated);

const addressOf = ({ text, order, view, only }) => {
  const asked = [];
  if (text) asked.push(`q=${encodeURIComponent(text)}`);
  if (order) asked.push(`sort=${order}`);
  if (view === "table") asked.push("view=table");
  if (only) asked.push("selected=1");
  return asked.length ? `?${asked.join("&")}` : location.pathname;
};

const isReadable = (atlas, text) => {
  try {
    parse(text, atlas.longest);
    return true;
  } catch {
    return false;
  }
};

const isField = (target) => target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName);

/** Group key strokes: `begin` tells whether this one opens a group, which ends after a pause or by `end`. */
const burst = (pause) => {
  let timer = 0;
  const end = () => {
    clearTimeout(timer);
    timer = 0;
  };
  return {
    begin() {
      const first = !timer;
      clearTimeout(timer);
      timer = setTimeout(end, pause);
      return first;
    },
    end,
  };
};

const debounced = (pause, call) => {
  let timer = 0;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...args), pause);
  };
  later.stop = () => clearTimeout(timer);
  return later;
};

main().catch((error) => {
  wrong.hidden = false;
  wrong.textContent = `The catalogue could not be read (${error.message}). Reload the page, or use the lists by year.`;
});
