// What scripts add to the maps: counting attacks or defenses alone, and arrow keys between the cells of a matrix,
// and the lines of one work of a lineage brought out.

const KINDS = { "": 0, attack: 1, defense: 2 };

function shade(count, steps) {
  return `n${steps.filter((step) => count >= step).length}`;
}

/** Show in every cell the number of works of one kind, and lead to these. */
function countOnly(kind, matrix) {
  const steps = matrix.dataset.steps.split(" ").map(Number);
  for (const cell of matrix.querySelectorAll("a.cell")) {
    const count = Number((cell.dataset.n ?? "0 0 0").split(" ")[KINDS[kind]]);
    const shown = count.toLocaleString("en-US");
    const [title, text] = [cell.querySelector("title"), cell.querySelector("text")];
    cell.dataset.to ??= cell.getAttribute("href");
    cell.setAttribute("href", cell.dataset.to + (kind ? `%20kind%3D${kind}` : ""));
    cell.setAttribute("class", `cell ${shade(count, steps)}`);
    title.textContent = title.textContent.replace(/: [^:]*$/, `: ${shown}`);
    text.textContent = shown;
  }
}

function offerKinds(choice) {
  const matrices = document.querySelectorAll("figure.matrix[data-steps]");
  const others = document.querySelectorAll(".choose a");
  const show = (kind) => {
    matrices.forEach((matrix) => countOnly(kind, matrix));
    for (const link of others) link.search = kind ? `?kind=${kind}` : "";
  };
  const asked = new URLSearchParams(location.search).get("kind") ?? "";
  choice.hidden = false;
  for (const input of choice.querySelectorAll("input")) {
    if (input.value === asked && asked in KINDS) input.checked = true;
    input.addEventListener("change", () => {
      const url = new URL(location.href);
      if (input.value) url.searchParams.set("kind", input.value);
      else url.searchParams.delete("kind");
      history.replaceState(null, "", url);
      show(input.value);
    });
  }
  const checked = choice.querySelector("input:checked")?.value ?? "";
  if (checked) show(checked);
}

/** Make a matrix one stop of the tab key; arrows, Home and End move between its cells. */
function offerArrows(matrix) {
  const rows = new Map();
  for (const cell of matrix.querySelectorAll("a.cell")) {
    const y = cell.querySelector("rect").getAttribute("y");
    if (!rows.has(y)) rows.set(y, []);
    rows.get(y).push(cell);
    cell.setAttribute("tabindex", "-1");
  }
  const grid = [...rows.values()];
  if (!grid.length) return;
  grid[0][0].setAttribute("tabindex", "0");
  matrix.addEventListener("keydown", (event) => {
    const row = grid.findIndex((cells) => cells.includes(document.activeElement));
    if (row < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const column = grid[row].indexOf(document.activeElement);
    const to = {
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      Home: [row, 0],
      End: [row, grid[row].length - 1],
    }[event.key];
    const next = to && grid[to[0]]?.[to[1]];
    if (!to) return;
    event.preventDefault();
    if (!next) return;
    document.activeElement.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

/** Bring out the lines of the work under the mouse or the focus. */
function offerLines(figure) {
  const lines = [...figure.querySelectorAll("path[data-ends]")].map((line) => [line, line.dataset.ends.split(" ")]);
  const show = (id) => {
    figure.classList.toggle("chosen", Boolean(id));
    for (const [line, ends] of lines) line.classList.toggle("on", ends.includes(id));
  };
  for (const work of figure.querySelectorAll("a[data-id]")) {
    work.addEventListener("mouseenter", () => show(work.dataset.id));
    work.addEventListener("focus", () => show(work.dataset.id));
    work.addEventListener("mouseleave", () => show(""));
    work.addEventListener("blur", () => show(""));
  }
}

document.querySelectorAll("[data-kinds]").forEach(offerKinds);
document.querySelectorAll("figure.matrix").forEach(offerArrows);
document.querySelectorAll("figure.lineage").forEach(offerLines);
