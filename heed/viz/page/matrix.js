// Every pair: numbers in cells while they can be read, a picture beyond that.
"use strict";

const most_cells = 32;  // a side of the table of numbers
const matrix = document.getElementById("matrix");

// White to the shade of the page; the text on it keeps its contrast.
function cellColor(share) {
  return `rgba(var(--shade), ${(0.45 * share).toFixed(3)})`;
}

function headCell(text, scope) {
  const cell = document.createElement("th");
  cell.scope = scope;
  cell.textContent = text;
  cell.dir = "auto";
  return cell;
}

function matrixTable(view) {
  const table = document.createElement("table"), head = table.createTHead().insertRow();
  head.append(document.createElement("td"));
  for (const key of page.keys) head.append(headCell(shown(key), "col"));
  const body = table.createTBody();
  page.queries.forEach((token, query) => {
    const row = body.insertRow();
    row.dataset.query = query;
    row.append(headCell(shown(token), "row"));
    const weights = new Array(page.keys.length).fill(0);
    for (const pair of meanOf(linksOf(query, view), view)) weights[pair.key] = pair.weight;
    weights.forEach((weight, key) => {
      const cell = row.insertCell();
      cell.textContent = weight === 0 ? "" : (100 * weight).toFixed(0);
      cell.style.background = cellColor(weight);
      cell.dataset.key = key;
      cell.dataset.weight = weight;
    });
  });
  return table;
}

// A pixel for each pair, or for the strongest of several.
function matrixPicture(view) {
  const canvas = document.createElement("canvas");
  const room = Math.max(200, matrix.clientWidth - 4);
  const side = Math.max(page.queries.length, page.keys.length);
  const scale = Math.min(1, room / side);
  canvas.width = Math.max(1, Math.floor(page.keys.length * scale));
  canvas.height = Math.max(1, Math.floor(page.queries.length * scale));
  canvas.style.width = Math.min(room, canvas.width * Math.max(1, Math.floor(room / side))) + "px";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "A picture of all weights; choose a token to read its numbers.");
  const largest = new Float32Array(canvas.width * canvas.height);
  for (let query = 0; query < page.queries.length; query++) {
    const row = Math.min(canvas.height - 1, Math.floor(query * scale)) * canvas.width;
    for (const pair of meanOf(linksOf(query, view), view)) {
      const at = row + Math.min(canvas.width - 1, Math.floor(pair.key * scale));
      largest[at] = Math.max(largest[at], pair.weight);
    }
  }
  const [red, green, blue] = inkOf("--shade").split(",").map(Number);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  largest.forEach((weight, i) => {
    image.data.set([red, green, blue, 255 * Math.sqrt(Math.min(1, weight))], 4 * i);
  });
  context.putImageData(image, 0, 0);
  canvas.addEventListener("click", (event) => {
    const query = Math.floor(event.offsetY / canvas.clientHeight * page.queries.length);
    choosePin("query", Math.min(query, page.queries.length - 1));
  });
  return canvas;
}

function drawMatrix(view) {
  const numbers = page.queries.length <= most_cells && page.keys.length <= most_cells;
  matrix.replaceChildren(numbers ? matrixTable(view) : matrixPicture(view));
  document.getElementById("matrix-caption").textContent =
      "A row for each token that looks, a column for each token that is looked at" +
      (numbers ? ", in percent." : "; the more colour the more weight.") +
      (view.show === "heads" && view.heads.length > 1 ? " The mean of the heads that are shown." : "");
}

matrix.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-query]");
  if (row) choosePin("query", Number(row.dataset.query));
});
