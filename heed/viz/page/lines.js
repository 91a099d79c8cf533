// The text on both sides and the lines between.
"use strict";

const most_lines = 1500;
const scroller = document.getElementById("scroller");
const svg = document.getElementById("lines");
const lists = {query: document.getElementById("queries"), key: document.getElementById("keys")};

function hueOf(head) {
  return head < 0 ? 210 : Math.round(360 * head / page.heads.length);
}

function fillList(side, tokens) {
  const items = document.createDocumentFragment();
  tokens.forEach((token, index) => {
    const item = document.createElement("li");
    item.textContent = shown(token);
    item.title = token;
    item.dir = "auto";
    item.dataset.index = index;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.tabIndex = index === 0 ? 0 : -1;
    items.append(item);
  });
  lists[side].append(items);
}

function tokensOf(side) {
  return side === "query" ? page.queries : page.keys;
}

function rowHeight() {
  return lists.query.firstElementChild.offsetHeight;
}

// The numbers of the queries that can be seen, one past the last.
function queriesInView() {
  const row = rowHeight();
  const first = Math.max(0, Math.floor(scroller.scrollTop / row));
  const last = Math.ceil((scroller.scrollTop + scroller.clientHeight) / row);
  return [Math.min(first, page.queries.length), Math.min(last, page.queries.length)];
}

function strongestOfEach(links) {
  const best = new Map();
  for (const link of links) {
    if (!best.has(link.query) || best.get(link.query).weight < link.weight) {
      best.set(link.query, link);
    }
  }
  return [...best.values()];
}

// The links to draw: those of the token in focus, or else of the queries in view.
function linksToDraw(view, focus) {
  let links = [];
  if (focus) {
    links = focus.side === "query" ? linksOf(focus.index, view) : linksTo(focus.index, view);
  } else {
    const [first, last] = queriesInView();
    for (let query = first; query < last; query++) links.push(...linksOf(query, view));
  }
  links = links.filter((link) => link.weight > 0 && link.weight >= view.threshold);
  if (view.strongest) links = strongestOfEach(links);
  return links.sort((a, b) => b.weight - a.weight);
}

function drawLines(view, focus) {
  const links = linksToDraw(view, focus);
  const row = rowHeight(), width = svg.clientWidth;
  const height = row * Math.max(page.queries.length, page.keys.length);
  svg.style.height = height + "px";
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const drawn = links.slice(0, most_lines).reverse().map((link) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("x1", 0);
    line.setAttribute("x2", width);
    line.setAttribute("y1", (link.query + 0.5) * row);
    line.setAttribute("y2", (link.key + 0.5) * row);
    line.setAttribute("stroke-width", (0.5 + 5 * link.weight).toFixed(2));
    line.setAttribute("stroke-opacity", (0.15 + 0.85 * link.weight).toFixed(3));
    line.style.setProperty("--hue", hueOf(link.head));
    line.dataset.query = link.query;
    line.dataset.key = link.key;
    line.dataset.head = link.head;
    line.dataset.weight = link.weight;
    return line;
  });
  svg.replaceChildren(...drawn);
  document.getElementById("drawn").textContent = links.length > most_lines
      ? `${drawn.length} of ${links.length} lines, the strongest.`
      : `${links.length} ${links.length === 1 ? "line" : "lines"}` +
            (focus ? " of the chosen token." : " of the tokens in view.");
}

let shaded = [];

// Shades the other side by what the token in focus gives it or gets from it.
function shadeTokens(view, focus) {
  for (const item of shaded) item.style.background = "";
  shaded = [];
  if (!focus) return;
  const from_query = focus.side === "query";
  const links = from_query ? linksOf(focus.index, view) : linksTo(focus.index, view);
  for (const pair of meanOf(links, view)) {
    const item = lists[from_query ? "key" : "query"].children[from_query ? pair.key : pair.query];
    item.style.background = `rgba(var(--shade), ${(0.35 * Math.min(1, pair.weight)).toFixed(3)})`;
    shaded.push(item);
  }
}

// Puts the focus of the keyboard on a token, and what can be seen with it.
function focusToken(side, index) {
  const list = lists[side];
  const item = list.children[Math.max(0, Math.min(index, list.children.length - 1))];
  for (const other of list.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  item.tabIndex = 0;
  item.focus();
  item.scrollIntoView({block: "nearest"});
}
