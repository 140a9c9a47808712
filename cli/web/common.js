'use strict';
// Elements, numbers with units, and axes.
const data = JSON.parse(document.getElementById('data').textContent);
const SVG = 'http://www.w3.org/2000/svg';

function make(space, tag, attributes, children) {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  for (const child of [].concat(children === undefined ? [] : children)) {
    if (child !== null) element.append(child);
  }
  return element;
}
const el = (tag, attributes, children) => make(null, tag, attributes, children);
const svg = (tag, attributes, children) => make(SVG, tag, attributes, children);

function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
function unitOf(ns) {
  return ns >= 1e9 ? [1e9, 's'] : ns >= 1e6 ? [1e6, 'ms'] : ns >= 1e3 ? [1e3, 'µs'] : [1, 'ns'];
}
function time(ns) {
  if (ns === null || !isFinite(ns)) return '–';
  if (ns < 0.5) return '0';
  const [unit, name] = unitOf(ns);
  return digits(ns / unit) + ' ' + name;
}
function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let at = 0;
  while (count >= 1024 && at < 3) { count /= 1024; at++; }
  return (at ? digits(count) : count) + ' ' + units[at];
}

/// About `count` round numbers from 0 to the first one that is not below `most`.
function ticks(most, count) {
  if (!(most > 0)) return [0, 1];
  const rough = most / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(f => f * power >= rough * 0.999);
  const result = [];
  for (let at = 0; ; at += step) {
    result.push(Number(at.toPrecision(6)));
    if (at >= most * 0.999) return result;
  }
}
function legend(items) {
  return el('ul', {class: 'legend'}, items.map(([colour, text]) =>
    el('li', {}, [el('i', {style: 'background:' + colour}), text])));
}
