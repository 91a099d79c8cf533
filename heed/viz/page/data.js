// What the page was given: the tokens, and for each layer the largest weights of each token.
// heed/viz/attention_page.cpp writes it; the order of the parts is said there too.
"use strict";

const page = JSON.parse(document.getElementById("page-data").textContent);
if (!page.keys) page.keys = page.queries;
const nobody = 0xffff;  // the key of a place that holds no weight

function bytesOf(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// Hands out one part of a buffer after the other.
function partsOf(buffer) {
  let at = 0;
  const take = (Type, count) => {
    const part = new Type(buffer, at, count);
    at += part.byteLength;
    return part;
  };
  return {words: (count) => take(Uint16Array, count), bytes: (count) => take(Uint8Array, count)};
}

const decoded = new Map();

// The weights of a layer, by its place on the page; decoded when they are first asked for.
function layerData(index) {
  if (decoded.has(index)) return decoded.get(index);
  const take = partsOf(bytesOf("layer-" + index).buffer);
  const rows = page.queries.length, all = page.heads.length * rows;
  const layer = {
    heads: {keys: take.words(all * page.kept), values: take.words(all * page.kept)},
    entropies: take.words(all),
  };
  for (const name of ["mean", "rollout"]) {
    if (page[name]) {
      layer[name] = {keys: take.words(rows * page.kept), values: take.words(rows * page.kept)};
    }
  }
  if (page.gradient) layer.gradient = take.bytes(all * page.kept);
  decoded.set(index, layer);
  return layer;
}

// Over how many tokens a head spreads its look from this query.
function spreadOf(layer, head, query) {
  return Math.exp(layerData(layer).entropies[head * page.queries.length + query] / 5000);
}

// What of a layer is shown of one query: [{query, key, weight, head}]; head −1: no single one.
function linksOf(query, view) {
  const layer = layerData(view.layer), links = [];
  const add = (plane, row, head, valueAt) => {
    for (let i = row * page.kept; i < (row + 1) * page.kept; i++) {
      const key = plane.keys[i];
      if (key !== nobody) links.push({query, key, head, weight: valueAt(i)});
    }
  };
  if (view.show === "mean" || view.show === "rollout") {
    const plane = layer[view.show];
    add(plane, query, -1, (i) => plane.values[i] / 65535);
    return links;
  }
  const values = view.show === "gradient" ? (i) => layer.gradient[i] / 255
                                          : (i) => layer.heads.values[i] / 65535;
  for (const head of view.heads) {
    add(layer.heads, head * page.queries.length + query, head, values);
  }
  return links;
}

// The same of one key: who looks at it.
function linksTo(key, view) {
  const links = [];
  for (let query = 0; query < page.queries.length; query++) {
    for (const link of linksOf(query, view)) {
      if (link.key === key) links.push(link);
    }
  }
  return links;
}

// [{query, key, weight}]: the mean over the heads that are shown, each pair once.
function meanOf(links, view) {
  const count = view.show === "mean" || view.show === "rollout" ? 1 : view.heads.length;
  const pairs = new Map();
  for (const link of links) {
    const name = link.query * 65536 + link.key;
    const pair = pairs.get(name) || {query: link.query, key: link.key, weight: 0};
    pair.weight += link.weight / count;
    pairs.set(name, pair);
  }
  return [...pairs.values()].sort((a, b) => b.weight - a.weight);
}

// A token as people can see it: blanks have marks.
function shown(token) {
  return token === "" ? "∅" : token.replace(/ /g, "␣").replace(/\n/g, "⏎").replace(/\t/g, "⇥");
}

function percent(weight) {
  const value = 100 * weight;
  return (value >= 10 || value === 0 ? value.toFixed(0) : value.toFixed(1)) + " %";
}
