// A flame graph that can be zoomed and searched, and tables of functions and lines.
const page = document.getElementById('page');
const KINDS = [['interpreting', 'p0'], ['recording', 'p1'], ['machine code', 'p2'],
  ['native', 'p3'], ['collecting', 'p4']];
const total = data.cpu_ns || 1;
const percent = ns => (ns / total * 100).toFixed(1) + ' %';
// Paths are short: the folder is the program's in most frames.
const folder = data.program.replace(/[^/]*$/, '');
const short = text => folder ? text.split('(' + folder).join('(') : text;
data.stacks.forEach(stack => { stack[0] = short(stack[0]); });
const withoutLine = name => name.replace(/:\d+\)$/, ')');

function kindOf(name) {
  const kind = KINDS.find(([text]) => name.startsWith('[' + text));
  return kind ? kind[1] : null;
}
function frameColour(name) {
  const kind = kindOf(name);
  return kind ? `var(--${kind})` : 'var(--guest)';
}

/// The stacks as one tree; by function or also by line.
function treeOf(byLine) {
  const root = {name: 'all', ns: 0, children: new Map(), parent: null};
  for (const [text, ns] of data.stacks) {
    let node = root;
    root.ns += ns;
    for (const frame of text.split(';')) {
      const name = byLine ? frame : withoutLine(frame);
      let child = node.children.get(name);
      if (!child) {
        child = {name, ns: 0, children: new Map(), parent: node};
        node.children.set(name, child);
      }
      child.ns += ns;
      node = child;
    }
  }
  return root;
}

const WIDTH = 1180, ROW = 18;
const state = {byLine: false, root: null, zoom: null, search: ''};
const holder = el('div', {id: 'flame'});
const about = el('p', {id: 'about', class: 'small soft'}, '\u00a0');

function depthOf(node) {
  let most = 0;
  node.children.forEach(child => { most = Math.max(most, depthOf(child)); });
  return most + 1;
}
function drawNode(chart, node, x, width, level, height, dim) {
  const y = height - (level + 1) * ROW;
  const found = state.search && node.name.toLowerCase().includes(state.search);
  const room = Math.floor((width - 6) / 6.7);
  const text = node.name.length <= room ? node.name : node.name.slice(0, room - 1) + '…';
  const group = svg('g', {class: 'frame' + (dim || (state.search && !found) ? ' dim' : '')}, [
    svg('title', {}, `${node.name}: ${time(node.ns)}, ${percent(node.ns)}`),
    svg('rect', {x: x.toFixed(2), y, width: Math.max(0.2, width - 0.5).toFixed(2), height: ROW - 1,
      fill: node === state.root ? 'var(--raised)' : frameColour(node.name)}),
    room > 2 ? svg('text', {x: (x + 3).toFixed(2), y: y + 12.5}, text) : null]);
  group.addEventListener('click', () => { state.zoom = node; draw(); });
  group.addEventListener('mouseenter', () => {
    about.textContent = `${node.name}: ${time(node.ns)}, ${percent(node.ns)}`;
  });
  chart.append(group);
}
function drawBelow(chart, node, x, scale, level, height) {
  let at = x;
  [...node.children.values()].sort((a, b) => a.name < b.name ? -1 : 1).forEach(child => {
    const width = child.ns * scale;
    if (width >= 0.25) {
      drawNode(chart, child, at, width, level, height, false);
      drawBelow(chart, child, at, scale, level + 1, height);
    }
    at += width;
  });
}
function draw() {
  const outer = [];
  for (let node = state.zoom.parent; node; node = node.parent) outer.unshift(node);
  const height = (outer.length + depthOf(state.zoom)) * ROW + 2;
  const chart = svg('svg', {viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, role: 'img',
    'aria-label': 'Flame graph; the same figures are in the tables below'});
  outer.forEach((node, level) => drawNode(chart, node, 0, WIDTH, level, height, true));
  drawNode(chart, state.zoom, 0, WIDTH, outer.length, height, false);
  drawBelow(chart, state.zoom, 0, WIDTH / (state.zoom.ns || 1), outer.length + 1, height);
  holder.replaceChildren(chart);
}
function rebuild() {
  state.root = state.zoom = treeOf(state.byLine);
  draw();
}

/// For each name: time in it, and in it or what it called (once for each stack).
function sums(nameOf) {
  const rows = new Map();
  const row = name => rows.get(name) || rows.set(name, {name, self: 0, all: 0, by: {}}).get(name);
  for (const [text, ns] of data.stacks) {
    const frames = text.split(';'), activity = frames.pop();
    const guests = frames.map(nameOf);
    new Set(guests).forEach(name => { row(name).all += ns; });
    const last = guests.length ? row(guests[guests.length - 1]) : null;
    if (!last) continue;
    last.self += ns;
    const kind = (KINDS.find(([k]) => activity.startsWith('[' + k)) || [activity])[0];
    last.by[kind] = (last.by[kind] || 0) + ns;
  }
  return [...rows.values()].sort((a, b) => b.self - a.self || b.all - a.all);
}
function table(title, first, rows) {
  const head = [[first, 'text'], ['itself'], [''], ['with calls'],
    ...KINDS.map(([name]) => [name])];
  return [el('h2', {}, title), el('div', {class: 'scroll'}, el('table', {}, [
    el('thead', {}, el('tr', {}, head.map(([text, name]) =>
      el('th', {scope: 'col', class: name}, text)))),
    el('tbody', {}, rows.slice(0, 30).map(row => el('tr', {}, [
      el('th', {scope: 'row'}, el('code', {}, row.name)), el('td', {}, percent(row.self)),
      el('td', {class: 'text'}, el('span', {class: 'share',
        style: `width:${(row.self / total * 80).toFixed(1)}px`})),
      el('td', {}, percent(row.all)),
      ...KINDS.map(([name]) => el('td', {class: 'soft'},
        row.by[name] ? percent(row.by[name]) : ''))])))]))];
}

const search = el('input', {type: 'search', placeholder: 'find', 'aria-label': 'find a frame'});
search.addEventListener('input', () => { state.search = search.value.toLowerCase(); draw(); });
const lines = el('input', {type: 'checkbox'});
lines.addEventListener('change', () => { state.byLine = lines.checked; rebuild(); });
const reset = el('button', {type: 'button'}, 'show all');
reset.addEventListener('click', () => { state.zoom = state.root; draw(); });

page.append(
  el('h1', {}, data.program.replace(/.*\//, '')),
  el('p', {class: 'lead'}, `${time(data.cpu_ns)} of CPU time, ${data.samples} samples; compiling ` +
    `took ${time(data.compile_ns)} more on a thread of its own · ` +
    `${data.machine.cpu || 'unknown CPU'} · Skerry ${data.skerry}`),
  legend([['var(--guest)', 'program'],
    ...KINDS.map(([name, colour]) => [`var(--${colour})`, name])]),
  el('div', {class: 'bar'}, [search, el('label', {}, [lines, ' lines apart']), reset]),
  holder, about,
  ...table('Functions', 'function', sums(withoutLine)),
  ...table('Lines', 'line', sums(name => name)),
  el('p', {class: 'small soft'}, `A sample each ${data.interval_us / 1000} ms. What the thread does ` +
    'is that of the moment; the frames are those of the next backward jump or call, so a time can ' +
    'stand a few lines late.'));
document.title = 'Profile of ' + data.program;
rebuild();
