// What is shown, and how that changes.
"use strict";

const control = (id) => document.getElementById(id);
const view = {layer: page.layers.length - 1, heads: [], show: "heads", threshold: 0, strongest: false};
let pinned = null, hovered = null;  // {side: "query" | "key", index}
let waiting = false;

function redrawLines() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const focus = hovered || pinned;
    drawLines(view, focus);
    shadeTokens(view, focus);
    if (page.picture) drawPicture(view, focus);
  });
}

// A token in words, and the keyboard's way to it.
function nameOf(side, index) {
  return page.picture ? placeName(index) : shown(tokensOf(side)[index]);
}

function goTo(side, index) {
  const cell = page.picture ? index - page.picture.first : -1;
  if (cell >= 0) focusCell(cell);
  else focusToken(side, index);
}

// The text of a link for the table of a token: "film", its place, its weight.
function factTable(caption, pairs, side) {
  const table = document.createElement("table"), body = table.createTBody();
  table.createCaption().textContent = caption;
  const head = table.createTHead().insertRow();
  for (const name of ["token", "place", "weight"]) head.append(headCell(name, "col"));
  for (const pair of pairs.slice(0, 12)) {
    const row = body.insertRow(), index = pair[side];
    row.dataset.weight = pair.weight;
    row.insertCell().textContent = nameOf(side, index);
    const place = document.createElement("button");
    place.type = "button";
    place.textContent = index + 1;
    place.setAttribute("aria-label", `go to place ${index + 1}`);
    place.addEventListener("click", () => goTo(side, index));
    row.insertCell().append(place);
    row.insertCell().textContent = percent(pair.weight);
  }
  return table;
}

function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function showFacts() {
  const facts = control("token-facts");
  if (!pinned) {
    facts.replaceChildren(paragraph("Choose a token to read its numbers here."));
    return;
  }
  const {side, index} = pinned;
  const token = paragraph(`“${nameOf(side, index)}”, place ${index + 1}`);
  if (side === "key") {
    const links = meanOf(linksTo(index, view), view);
    facts.replaceChildren(token, factTable("is looked at by", links, "query"));
    return;
  }
  const links = meanOf(linksOf(index, view), view);
  const parts = [token, factTable("looks at", links, "key")];
  if (view.show === "heads" && view.heads.length > 0) {
    const spreads = view.heads.map((head) =>
      `head ${page.heads[head]}: ${spreadOf(view.layer, head, index).toFixed(1)}`);
    parts.push(paragraph("Spreads over so many tokens: " + spreads.join(", ") + "."));
  }
  facts.replaceChildren(...parts);
}

function markPinned() {
  for (const side of ["query", "key"]) {
    for (const item of lists[side].querySelectorAll("[aria-selected=true]")) {
      item.setAttribute("aria-selected", "false");
    }
  }
  if (page.picture) markPicture(pinned);
  for (const row of matrix.querySelectorAll("tr.pinned")) row.classList.remove("pinned");
  if (!pinned) return;
  lists[pinned.side].children[pinned.index].setAttribute("aria-selected", "true");
  const row = pinned.side === "query" && matrix.querySelector(`tr[data-query="${pinned.index}"]`);
  if (row) row.classList.add("pinned");
}

// Pins a token, or lets go of the one that is pinned.
function choosePin(side, index) {
  const same = pinned && pinned.side === side && pinned.index === index;
  pinned = same || side === null ? null : {side, index};
  hovered = null;
  markPinned();
  showFacts();
  if (page.picture) drawOverview();
  redrawLines();
}

function tokenOf(event) {
  const item = event.target.closest("[role=option]");
  if (!item) return null;
  const list = item.parentElement;
  const side = list === cells ? direction.value : list === lists.query ? "query" : "key";
  return {side, index: Number(item.dataset.index)};
}

function onTokenKey(event) {
  const token = tokenOf(event);
  if (event.key === "Escape") return choosePin(null, 0);
  if (!token) return;
  const {side, index} = token, last = tokensOf(side).length - 1;
  const moves = {ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: last,
                 PageDown: index + 20, PageUp: index - 20};
  if (event.key === "Enter" || event.key === " ") {
    choosePin(side, index);
  } else if (event.currentTarget !== scroller) {
    if (!moveInPicture(event.key, index)) return;
  } else if (event.key in moves) {
    focusToken(side, moves[event.key]);
  } else if (event.key === "ArrowRight" && side === "query") {
    focusToken("key", index);
  } else if (event.key === "ArrowLeft" && side === "key") {
    focusToken("query", index);
  } else {
    return;
  }
  event.preventDefault();
}

let matches = [], current = -1;  // of the search: [{side, index}]

function search(text) {
  matches = [];
  current = -1;
  for (const side of ["query", "key"]) {
    tokensOf(side).forEach((token, index) => {
      const found = text !== "" && token.toLowerCase().includes(text.toLowerCase());
      lists[side].children[index].classList.toggle("found", found);
      if (found) matches.push({side, index});
    });
  }
  control("found").textContent = text === "" ? "" : `${matches.length} found; Enter goes to the next`;
}

function nextMatch() {
  if (matches.length === 0) return;
  current = (current + 1) % matches.length;
  const {side, index} = matches[current];
  lists[side].children[index].scrollIntoView({block: "center"});
  choosePin(null, 0);
  choosePin(side, index);
}

// Reads the controls and draws everything that depends on them.
function refresh() {
  view.layer = Number(control("layer").value);
  view.show = control("show").value;
  view.heads = chosenHeads();
  view.strongest = control("strongest").checked;
  head_boxes.disabled = view.show === "mean" || view.show === "rollout";
  setThreshold();
  markOverview(view);
  drawMatrix(view);
  markPinned();
  showFacts();
  redrawLines();
}

function setThreshold() {
  view.threshold = Number(control("threshold").value) / 100;
  control("threshold-value").textContent = control("threshold").value + " %";
}

function start() {
  control("left-caption").textContent = page.left;
  control("right-caption").textContent = page.right;
  control("kept").textContent = page.notes.join(" ");
  page.layers.forEach((name, index) => control("layer").add(new Option(name, index)));
  control("layer").value = view.layer;
  for (const name of ["mean", "rollout", "gradient"]) {
    if (!page[name]) control("show").querySelector(`[value=${name}]`).remove();
  }
  control("threshold").value = page.queries.length > 40 ? 5 : 1;
  if (page.alignment) {
    control("strongest").checked = true;
    if (page.mean) control("show").value = "mean";
  }
  fillList("query", page.queries);
  fillList("key", page.keys);
  buildHeads(refresh);
  if (page.picture) {
    buildPicture((index) => choosePin(index < 0 ? null : direction.value, index));
  }
  buildOverview((layer, head) => {
    control("layer").value = layer;
    control("show").value = "heads";
    for (const box of head_boxes.querySelectorAll("input")) box.checked = Number(box.value) === head;
    refresh();
  });
  refresh();
  showSomeLines();
  // What the answer is made from.
  if (page.picture && page.picture.first > 0) choosePin("query", 0);
}

// Where looks are spread thin, as in a long text or an untrained model, the usual threshold would
// hide them all.
function showSomeLines() {
  const threshold = control("threshold");
  while (view.threshold > 0 && linksToDraw(view, null).length === 0) {
    threshold.value = Number(threshold.value) - 1;
    setThreshold();
  }
}

scroller.addEventListener("scroll", redrawLines, {passive: true});
for (const place of [scroller, cells]) {
  place.addEventListener("click", (event) => {
    const token = tokenOf(event);
    if (token) choosePin(token.side, token.index);
  });
  place.addEventListener("keydown", onTokenKey);
  for (const [enter, leave] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    place.addEventListener(enter, (event) => { hovered = tokenOf(event); redrawLines(); });
    place.addEventListener(leave, () => { hovered = null; redrawLines(); });
  }
}
direction.addEventListener("change", () => {
  if (pinned) choosePin(direction.value, pinned.index);
});
for (const id of ["show", "layer", "strongest"]) control(id).addEventListener("change", refresh);
control("threshold").addEventListener("input", () => { setThreshold(); redrawLines(); });
control("search").addEventListener("input", (event) => search(event.target.value));
control("controls").addEventListener("submit", (event) => { event.preventDefault(); nextMatch(); });
addEventListener("resize", redrawLines);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  drawOverview();
  drawMatrix(view);
});

start();
