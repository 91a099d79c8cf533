// All heads at a glance, and which of them are shown.
"use strict";

const overview = document.getElementById("overview");
const head_boxes = document.getElementById("heads");

function inkOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

// The red, green and blue of a hue, as hsl(hue 65% lightness) gives them.
function rgbOf(hue, lightness) {
  const reach = 0.65 * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return 255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  });
}

// A small picture of a head: means over blocks of pairs, the largest in full colour.
function drawBlocks(canvas, bytes, [red, green, blue]) {
  [canvas.height, canvas.width] = page.blocks;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  bytes.forEach((share, i) => image.data.set([red, green, blue, share], 4 * i));
  context.putImageData(image, 0, 0);
}

// For a picture it is drawn once for each head, with what the chosen part looks at.
function drawOverview() {
  if (page.picture) {
    for (const button of overview.querySelectorAll("button")) {
      const one = {layer: Number(button.dataset.layer), heads: [Number(button.dataset.head)],
                   show: "heads"};
      drawSmall(button.firstElementChild, looksOf(one, pinned));
    }
    return;
  }
  const bytes = bytesOf("overview-data");
  const size = page.blocks[0] * page.blocks[1];
  const lightness = parseFloat(inkOf("--tone")) / 100;
  overview.querySelectorAll("button").forEach((button, index) => {
    const head = index % page.heads.length;
    drawBlocks(button.firstElementChild, bytes.subarray(index * size, (index + 1) * size),
               rgbOf(hueOf(head), lightness));
  });
}

function buildOverview(choose) {
  overview.style.gridTemplateColumns = `auto repeat(${page.heads.length}, max-content)`;
  page.layers.forEach((layer_name, layer) => {
    const name = document.createElement("span");
    name.className = "row-name";
    name.textContent = "layer " + layer_name;
    overview.append(name);
    page.heads.forEach((head_name, head) => {
      const button = document.createElement("button");
      const spread = page.spreads[layer * page.heads.length + head].toFixed(1);
      button.type = "button";
      button.dataset.layer = layer;
      button.dataset.head = head;
      button.tabIndex = layer === 0 && head === 0 ? 0 : -1;
      button.setAttribute("aria-label",
          `layer ${layer_name}, head ${head_name}: spreads over ${spread} tokens on average`);
      button.append(document.createElement("canvas"), spread);
      button.addEventListener("click", () => choose(layer, head));
      overview.append(button);
    });
  });
  overview.addEventListener("keydown", moveInOverview);
  drawOverview();
}

function moveInOverview(event) {
  const steps = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: page.heads.length,
                 ArrowUp: -page.heads.length};
  if (!(event.key in steps)) return;
  const buttons = [...overview.querySelectorAll("button")];
  const next = buttons.indexOf(document.activeElement) + steps[event.key];
  event.preventDefault();
  if (next < 0 || next >= buttons.length) return;
  for (const button of buttons) button.tabIndex = -1;
  buttons[next].tabIndex = 0;
  buttons[next].focus();
}

function markOverview(view) {
  for (const button of overview.querySelectorAll("button")) {
    const chosen = Number(button.dataset.layer) === view.layer &&
                   view.heads.includes(Number(button.dataset.head));
    button.setAttribute("aria-pressed", String(chosen));
  }
}

function buildHeads(changed) {
  for (const [text, on] of [["all", true], ["none", false]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      for (const box of head_boxes.querySelectorAll("input")) box.checked = on;
      changed();
    });
    head_boxes.append(button);
  }
  page.heads.forEach((name, head) => {
    const label = document.createElement("label"), box = document.createElement("input");
    const color = document.createElement("i");
    box.type = "checkbox";
    box.checked = true;
    box.value = head;
    color.style.setProperty("--hue", hueOf(head));
    label.append(box, color, String(name));
    head_boxes.append(label);
  });
  head_boxes.addEventListener("change", changed);
}

function chosenHeads() {
  return [...head_boxes.querySelectorAll("input:checked")].map((box) => Number(box.value));
}
