// The picture itself, or a sound drawn as one, and over its parts what the token in focus looks at.
"use strict";

const seen = document.getElementById("seen");
const cells = document.getElementById("cells");
const direction = document.getElementById("direction");
const together = "all tokens together";  // the name of what is chosen where no token is
const cover = 0.8;  // of the strongest weight

function coverColor(share) {
  return `rgba(var(--cover), ${(cover * share).toFixed(3)})`;
}

// A token as its place is called: "row 2, column 3", or the moment.
function placeName(index) {
  const {first, rows, columns} = page.picture;
  if (rows === 1 || index < first) return page.keys[index];
  const cell = index - first;
  return `row ${Math.floor(cell / columns) + 1}, column ${cell % columns + 1}`;
}

function buildCells() {
  const {first, rows, columns, covered} = page.picture;
  cells.style.height = 100 * covered[0] + "%";
  cells.style.width = 100 * covered[1] + "%";
  cells.style.gridTemplateRows = `repeat(${rows}, minmax(0, 1fr))`;
  cells.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  for (let cell = 0; cell < rows * columns; cell++) {
    const item = document.createElement("div");
    item.dataset.index = first + cell;
    item.title = placeName(first + cell);
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.tabIndex = cell === 0 ? 0 : -1;
    cells.append(item);
  }
}

// Buttons for what has no place in the picture: its first tokens, and all tokens together.
function buildPlaceless(choose) {
  [...page.keys.slice(0, page.picture.first), together].forEach((name, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.dataset.index = name === together ? -1 : index;
    button.addEventListener("click", () => choose(Number(button.dataset.index)));
    control("placeless").append(button);
  });
}

function buildPicture(choose) {
  const {size: [height, width], timeline, columns, part, about} = page.picture;
  document.body.classList.add("picture");
  control("picture").hidden = false;
  control("picture-title").textContent = timeline ? "Over the sound" : "Over the picture";
  control("picture-about").textContent = about;
  cells.setAttribute("aria-label", `Each ${part} and its weight`);
  const stage = control("stage");
  if (timeline) {
    stage.style.width = `max(100%, ${6 * columns}px)`;
    stage.style.height = "11rem";
  } else {
    stage.style.width = `min(100%, ${(28 * Math.min(1, width / height)).toFixed(2)}rem)`;
    stage.style.aspectRatio = `${width} / ${height}`;
  }
  seen.style.imageRendering = timeline || Math.max(width, height) < 128 ? "pixelated" : "auto";
  seen.alt = timeline ? "The sound, drawn over time" : "What the model saw";
  seen.addEventListener("load", drawOverview);
  seen.src = page.picture.source;
  buildCells();
  buildPlaceless(choose);
  control("covered").addEventListener("change", (event) => {
    stage.classList.toggle("covered", event.target.checked);
  });
}

// What is laid over the parts, in words.
function captionOf(looks, focus) {
  const {first, part} = page.picture;
  const parts = looks.subarray(first), largest = parts.indexOf(Math.max(...parts));
  const name = focus && placeName(focus.index);
  const said = [focus === null ? `What each ${part} gets from all tokens, on average.`
                : focus.side === "query" ? `What ${name} looks at.`
                                         : `How much each ${part} looks at ${name}.`];
  said.push(`The strongest is ${placeName(first + largest)} with ${percent(parts[largest])}.`);
  const elsewhere = looks.slice(0, first).reduce((sum, look) => sum + look, 0);
  if (first > 0 && (focus === null || focus.side === "query")) {
    said.push(`${percent(elsewhere)} goes to ${page.keys.slice(0, first).join(", ")}, ` +
              "which has no place in the picture.");
  }
  if (view.show === "heads" && view.heads.length > 1) {
    said.push("The mean of the heads that are shown.");
  }
  return said.join(" ");
}

function drawPicture(view, focus) {
  const looks = looksOf(view, focus), {first} = page.picture;
  const parts = looks.subarray(first), largest = Math.max(...parts);
  parts.forEach((look, cell) => {
    const item = cells.children[cell];
    item.dataset.weight = look;
    item.style.background = coverColor(largest > 0 ? look / largest : 0);
    item.setAttribute("aria-label", `${placeName(first + cell)}: ${percent(look)}`);
  });
  control("largest").textContent = percent(largest);
  control("picture-caption").textContent = captionOf(looks, focus);
}

// The picture in small, and over it what one head gives its parts.
function drawSmall(canvas, looks) {
  const {size: [height, width], rows, columns, covered, timeline, first} = page.picture;
  const scale = 112 / Math.max(height, width);
  canvas.width = timeline ? 176 : Math.max(16, Math.round(scale * width));
  canvas.height = timeline ? 88 : Math.max(16, Math.round(scale * height));
  canvas.style.width = canvas.width / 2 + "px";
  canvas.style.height = canvas.height / 2 + "px";
  const context = canvas.getContext("2d");
  const ink = inkOf("--cover");
  context.imageSmoothingEnabled = false;
  context.filter = "grayscale(1)";
  if (seen.complete) context.drawImage(seen, 0, 0, canvas.width, canvas.height);
  context.filter = "none";
  const edge = (cell, count, part, side) => Math.round(cell / count * part * side);
  const parts = looks.subarray(first), largest = Math.max(...parts);
  parts.forEach((look, cell) => {
    const row = Math.floor(cell / columns), column = cell % columns;
    const x = edge(column, columns, covered[1], canvas.width);
    const y = edge(row, rows, covered[0], canvas.height);
    context.fillStyle = `rgba(${ink}, ${largest > 0 ? cover * look / largest : 0})`;
    context.fillRect(x, y, edge(column + 1, columns, covered[1], canvas.width) - x,
                     edge(row + 1, rows, covered[0], canvas.height) - y);
  });
}

function markPicture(pinned) {
  for (const item of cells.querySelectorAll("[aria-selected=true]")) {
    item.setAttribute("aria-selected", "false");
  }
  const cell = pinned && cells.children[pinned.index - page.picture.first];
  if (cell) cell.setAttribute("aria-selected", "true");
  if (pinned) direction.value = pinned.side;
  for (const button of control("placeless").children) {
    const index = pinned ? pinned.index : -1;
    button.setAttribute("aria-pressed", String(Number(button.dataset.index) === index));
  }
}

// Puts the focus of the keyboard on a cell.
function focusCell(cell) {
  const item = cells.children[Math.max(0, Math.min(cell, cells.children.length - 1))];
  for (const other of cells.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  item.tabIndex = 0;
  item.focus();
}

// Moves within the picture; false: the key is none that moves.
function moveInPicture(key, index) {
  const {first, rows, columns} = page.picture, cell = index - first;
  const moves = {ArrowLeft: cell - 1, ArrowRight: cell + 1, Home: 0, End: rows * columns - 1};
  if (rows > 1) Object.assign(moves, {ArrowUp: cell - columns, ArrowDown: cell + columns});
  if (!(key in moves)) return false;
  if (moves[key] >= 0 && moves[key] < rows * columns) focusCell(moves[key]);
  return true;
}
