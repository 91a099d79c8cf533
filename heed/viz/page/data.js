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

// The weights of a layer that are shown, one plane for each head: its keys, row by row of the queries
// from row `first` on, and what stands beside each; head −1: no single one.
function planesOf(view) {
  const layer = layerData(view.layer);
  if (view.show === "mean" || view.show === "rollout") {
    const {keys, values} = layer[view.show];
    return [{keys, first: 0, head: -1, valueAt: (i) => values[i] / 65535}];
  }
  const {keys, values} = layer.heads;
  const valueAt = view.show === "gradient" ? (i) => layer.gradient[i] / 255 : (i) => values[i] / 65535;
  return view.heads.map((head) => ({keys, first: head * page.queries.length, head, valueAt}));
}

// What of a layer is shown of one query: [{query, key, weight, head}].
function linksOf(query, view) {
  const links = [];
  for (const {keys, first, head, valueAt} of planesOf(view)) {
    const begin = (first + query) * page.kept;
    for (let i = begin; i < begin + page.kept; i++) {
      if (keys[i] !== nobody) links.push({query, key: keys[i], head, weight: valueAt(i)});
    }
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

// The mean over the planes that are shown: of a query what it gives each key, of a key what it gets
// from each query, and with nothing in focus what each key gets from a query on average.
function looksOf(view, focus) {
  const planes = planesOf(view), received = focus !== null && focus.side === "key";
  const looks = new Float64Array(received ? page.queries.length : page.keys.length);
  const one = focus !== null && !received;
  const rows = one ? 1 : page.queries.length, skipped = one ? focus.index : 0;
  const share = 1 / Math.max(1, planes.length * (focus === null ? rows : 1));
  for (const {keys, first, valueAt} of planes) {
    for (let query = skipped; query < skipped + rows; query++) {
      const begin = (first + query) * page.kept;
      for (let i = begin; i < begin + page.kept; i++) {
        if (keys[i] === nobody) continue;
        if (!received) looks[keys[i]] += share * valueAt(i);
        else if (keys[i] === focus.index) looks[query] += share * valueAt(i);
      }
    }
  }
  return looks;
}

// A token as people can see it: blanks have marks, but in the name of a part of a picture.
function shown(token) {
  if (page.picture) return token;
  return token === "" ? "∅" : token.replace(/ /g, "␣").replace(/\n/g, "⏎").replace(/\t/g, "⇥");
}

function percent(weight) {
  const value = 100 * weight;
  return (value >= 10 || value === 0 ? value.toFixed(0) : value.toFixed(1)) + " %";
}
