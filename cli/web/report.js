// The report of a study: `data` is the file that `skerry bench --save` writes.
const page = document.getElementById('page');
const modes = data.modes.map(mode => mode.name);
const colour = index => `var(--m${index % 6})`;
const PARTS = ['interpreting', 'recording', 'machine code', 'natives', 'collecting', 'compiling'];
const partColour = name => `var(--p${PARTS.indexOf(name)})`;
const measured = data.programs.filter(p => p.results.some(r => r.executions.length));
const resultOf = (program, mode) =>
  program.results.find(r => r.mode === mode && r.executions.length);

function meanRatio(mode) {
  const logs = measured.map(p => resultOf(p, mode)).filter(r => r && r.summary.ratio > 0)
    .map(r => Math.log(r.summary.ratio));
  return logs.length ? Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length) : null;
}
function spreadOf() {
  const all = measured.flatMap(p => p.results).filter(r => r.executions.length)
    .map(r => r.summary.spread).sort((a, b) => a - b);
  return all[Math.floor(all.length / 2)] || 0;
}

// ---- head ----------------------------------------------------------------------------------------
function head() {
  const machine = data.machine || {};
  page.append(
    el('h1', {}, measured.length === 1 ? `Skerry: ${measured[0].name}` : 'Skerry: a study'),
    el('p', {class: 'lead'}, [
      `${machine.cpu || 'unknown CPU'}, ${machine.cpus} CPUs · Skerry ${data.skerry} · `,
      el('time', {datetime: data.started}, data.started.replace('T', ' ').replace('Z', ' UTC'))]));
  const base = modes[0];
  const faster = modes.slice(1).map(mode => [mode, meanRatio(mode)]).filter(([, r]) => r !== null);
  if (faster.length) {
    const text = faster.map(([mode, ratio]) =>
      `${mode} takes ${digits(ratio)} of it`).join(', ');
    page.append(el('p', {}, measured.length > 1
      ? `Of the time that ${base} takes for an iteration, in the geometric mean of ` +
        `${measured.length} programs: ${text}.`
      : `Of the time that ${base} takes for an iteration: ${text}.`));
  }
  page.append(el('p', {class: 'small soft'},
    `What is measured: ${data.clock_meaning}, of one iteration at its final speed. ` +
    `${data.executions} executions of each program in each mode, up to ${data.iterations} ` +
    `iterations in each, in turns; it took ${Math.round(data.seconds)} s. Intervals are 95 %. ` +
    `Within one program and mode the middle half of all iterations lies ` +
    `${(spreadOf() * 100).toFixed(1)} % apart (median).`));
  warnings().forEach(text => page.append(el('p', {class: 'note small'}, text)));
}
function warnings() {
  const result = [], machine = data.machine || {};
  if (machine.load_before > machine.cpus * 0.5) {
    result.push(`The machine was busy: its load was ${machine.load_before.toFixed(1)} on ` +
      `${machine.cpus} CPUs when the study began. CPU times suffer less from that than time that ` +
      `passes, but they do.`);
  }
  if (data.executions < 5) {
    result.push(`${data.executions} executions are few: what differs from process to process ` +
      `(addresses, when a compilation is ready) is not well covered by the intervals.`);
  }
  data.programs.forEach(program => {
    if (program.failure) result.push(`${program.name} ${program.failure}`);
    const outputs = new Set(program.results.filter(r => r.executions.length).map(r => r.output));
    if (outputs.size > 1) result.push(`${program.name} does not write the same in all modes.`);
  });
  return result;
}

// ---- ratios --------------------------------------------------------------------------------------
function ratioBars() {
  const shown = modes.slice(1).filter(mode => measured.some(p => resultOf(p, mode)));
  if (!shown.length) return;
  const bar = 7, gap = 12, left = 130, right = 60, width = 1060, top = 26;
  const rows = measured.map(p => shown.map(mode => resultOf(p, mode)));
  const high = Math.max(1, ...rows.flat().filter(Boolean).map(r =>
    Math.min(r.summary.ratio_interval[1], r.summary.ratio * 1.5)));
  const scale = ticks(high, 6), most = scale[scale.length - 1];
  const x = value => left + Math.min(value, most) / most * (width - left - right);
  const rowHeight = shown.length * (bar + 1) + gap;
  const height = top + rows.length * rowHeight + 4;
  const chart = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
    'aria-label': `Time of an iteration in each mode, as a ratio to ${modes[0]}; ` +
      'the same figures are in the table below'});
  scale.forEach(value => chart.append(
    svg('line', {x1: x(value), x2: x(value), y1: top - 6, y2: height - gap / 2,
      class: value === 1 ? 'one' : 'axis'}),
    svg('text', {x: x(value), y: 12, 'text-anchor': 'middle'}, String(value))));
  if (!scale.includes(1)) {
    chart.append(svg('line', {x1: x(1), x2: x(1), y1: top - 6, y2: height, class: 'one'}));
  }
  rows.forEach((row, index) => {
    const y = top + index * rowHeight;
    const middle = y + shown.length * (bar + 1) / 2;
    chart.append(svg('a', {href: '#' + measured[index].name}, svg('text',
      {x: left - 12, y: middle + 4, 'text-anchor': 'end', class: 'name'}, measured[index].name)));
    row.forEach((result, k) => {
      if (!result) return;
      const s = result.summary, at = y + k * (bar + 1);
      const [low, up] = s.ratio_interval;
      chart.append(svg('g', {}, [
        svg('title', {}, `${measured[index].name}, ${result.mode}: ${s.ratio.toFixed(3)} ` +
          `(${low.toFixed(3)} to ${up.toFixed(3)})`),
        svg('rect', {x: left, y: at, width: Math.max(1, x(s.ratio) - left), height: bar, rx: 1,
          fill: colour(modes.indexOf(result.mode))}),
        svg('line', {x1: x(low), x2: x(up), y1: at + bar / 2, y2: at + bar / 2,
          stroke: 'var(--ink)', 'stroke-width': 1.2})]));
      if (k === 0) {
        chart.append(svg('text', {x: Math.max(x(s.ratio), x(Math.min(up, most))) + 6,
          y: at + bar}, digits(s.ratio)));
      }
    });
  });
  page.append(el('h2', {id: 'ratios'}, `Time as a ratio to ${modes[0]}`),
    el('p', {class: 'small soft'}, 'Shorter is faster. The thin line on a bar is its 95 % interval; ' +
      `the dashed line is ${modes[0]}; the number belongs to ${shown[0]}.`),
    legend(shown.map(mode => [colour(modes.indexOf(mode)),
      `${mode}: ${data.modes[modes.indexOf(mode)].meaning}`])),
    el('div', {class: 'scroll'}, chart));
}

// ---- table ---------------------------------------------------------------------------------------
function interval([low, high], unit) {
  if (low === null) return '';
  const fixed = high / unit >= 100 ? 0 : high / unit >= 10 ? 1 : unit === 1 ? 3 : 2;
  return ` ${(low / unit).toFixed(fixed)}–${(high / unit).toFixed(fixed)}`;
}
function tableRow(program, result, isFirst, count) {
  const s = result.summary, [unit] = unitOf(s.median);
  const all = result.executions.length;
  const cell = (text, name) => el('td', {class: name}, text);
  return el('tr', {}, [
    isFirst ? el('th', {scope: 'rowgroup', rowspan: count, class: 'text'},
      el('a', {href: '#' + program.name}, program.name)) : null,
    cell(result.mode, 'text'),
    cell(time(s.median)), cell(el('span', {class: 'ci'}, interval(s.interval, unit))),
    cell(s.ratio === null ? '1' : s.ratio.toFixed(3)),
    cell(el('span', {class: 'ci'}, interval(s.ratio_interval, 1))),
    cell(s.warmth + (s.agree < all ? ` (${s.agree} of ${all})` : ''), 'text'),
    cell(time(s.to_final)), cell(time(s.compile)), cell(bytes(s.peak_bytes)),
    cell((s.spread * 100).toFixed(1) + ' %')]);
}
function table() {
  const columns = [['program', 'text'], ['mode', 'text'], ['median'], ['95 %'], ['ratio'], ['95 %'],
    ['warm-up', 'text'], ['to 90 %'], ['compile'], ['memory'], ['spread']];
  const result = el('table', {}, [
    el('caption', {}, 'to 90 %: time until an iteration is within 10 % of the final speed; compile: ' +
      'time the compile thread worked; memory: peak of the resident set; spread: distance of the ' +
      'quartiles. Medians of executions.'),
    el('thead', {}, el('tr', {}, columns.map(([text, name]) =>
      el('th', {scope: 'col', class: name}, text))))]);
  measured.forEach(program => {
    const shown = program.results.filter(r => r.executions.length);
    result.append(el('tbody', {class: 'group'}, shown.map((r, i) =>
      tableRow(program, r, i === 0, shown.length))));
  });
  page.append(el('h2', {id: 'table'}, 'All figures'), el('div', {class: 'scroll'}, result));
}

// ---- each program --------------------------------------------------------------------------------
/// 1, 2, 5, 10 ... around what is shown, or only some of them.
function decades(least, most) {
  const all = [];
  for (let power = 10 ** Math.floor(Math.log10(least)); power <= most * 10; power *= 10) {
    all.push(power, 2 * power, 5 * power);
  }
  const from = all.findLastIndex(v => v <= least * 1.001);
  const to = all.findIndex(v => v >= most * 0.999);
  const shown = all.slice(Math.max(0, from), to + 1).map(v => Number(v.toPrecision(3)));
  return shown.length > 1 ? shown : [shown[0], shown[0] * 2];
}
/// A frame with axes; draw(x, y) gives its lines. xMost and yMost in units of the data;
/// with yLeast the y axis is logarithmic.
function plot(label, xMost, yMost, xText, yText, draw, yLeast) {
  const width = 400, height = 210, left = 48, right = 10, top = 10, bottom = 24;
  const ys = yLeast ? decades(yLeast, yMost) : ticks(yMost, 4), xs = ticks(xMost, 5).filter(v => v <= xMost * 1.001);
  const most = ys[ys.length - 1];
  const x = value => left + (xMost ? value / xMost : 0) * (width - left - right);
  const part = value => yLeast ? Math.log(value / ys[0]) / Math.log(most / ys[0]) : value / most;
  const y = value => height - bottom - part(value) * (height - top - bottom);
  const chart = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
    'aria-label': label});
  ys.forEach(value => chart.append(
    svg('line', {x1: left, x2: width - right, y1: y(value), y2: y(value), class: 'axis'}),
    svg('text', {x: left - 6, y: y(value) + 4, 'text-anchor': 'end'}, yText(value))));
  xs.forEach(value => chart.append(
    svg('text', {x: x(value), y: height - 7, 'text-anchor': 'middle'}, xText(value))));
  draw(x, y).forEach(part => chart.append(part));
  return chart;
}
function line(points, stroke, opacity, title) {
  return svg('polyline', {points: points.map(p => p.map(v => v.toFixed(1)).join(',')).join(' '),
    fill: 'none', stroke, 'stroke-width': 1.5, 'stroke-opacity': opacity,
    'stroke-linejoin': 'round'}, title ? svg('title', {}, title) : undefined);
}
function warmUp(program) {
  const shown = program.results.filter(r => r.executions.length);
  const values = shown.flatMap(r => r.executions.flatMap(e => e[data.clock]));
  const count = Math.max(...shown.flatMap(r => r.executions.map(e => e[data.clock].length)));
  const sorted = [...values].sort((a, b) => a - b);
  const cut = sorted[Math.floor(sorted.length * 0.99)] * 1.15;
  const most = Math.min(sorted[sorted.length - 1], cut), [unit, name] = unitOf(most);
  const chart = plot(`Time of each iteration of ${program.name}`, Math.max(1, count - 1),
    most / unit, v => String(v + 1), v => String(v), (x, y) => shown.flatMap(r =>
      r.executions.map(e => line(e[data.clock].map((v, i) => [x(i), y(Math.min(v, most) / unit)]),
        colour(modes.indexOf(r.mode)), 0.75))), sorted[0] / unit);
  return figure(`Each iteration, in ${name} (logarithmic); a line is one execution`, chart);
}
function parts(program) {
  const shown = program.results.filter(r => r.parts);
  if (!shown.length) return null;
  const width = 380, left = 76, bar = 20, gap = 14, top = 6;
  const height = top + shown.length * (bar + gap) + 18;
  const chart = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
    'aria-label': `Where the time of ${program.name} goes`});
  shown.forEach((r, index) => {
    const sum = PARTS.reduce((a, name) => a + r.parts[name], 0) || 1;
    const y = top + index * (bar + gap);
    chart.append(svg('text', {x: left - 8, y: y + 14, 'text-anchor': 'end'}, r.mode));
    let x = left;
    PARTS.forEach(name => {
      const size = r.parts[name] / sum * (width - left - 4);
      if (size < 0.3) return;
      chart.append(svg('g', {}, [
        svg('title', {}, `${r.mode}: ${name} ${(r.parts[name] / sum * 100).toFixed(1)} %`),
        svg('rect', {x, y, width: size, height: bar, fill: partColour(name)}),
        size > 30 ? svg('text', {x: x + size / 2, y: y + 14, 'text-anchor': 'middle',
          style: 'fill:var(--paper)'}, (r.parts[name] / sum * 100).toFixed(0) + ' %') : null]));
      x += size;
    });
  });
  return figure('Where the time goes', chart);
}
function memory(program) {
  const shown = program.results.filter(r => r.memory && r.memory.length > 2);
  if (!shown.length) return null;
  const pairs = r => r.memory.filter((_, i) => i % 2 === 0)
    .map((t, i) => [t, r.memory[2 * i + 1]]);
  const longest = Math.max(...shown.map(r => r.memory[r.memory.length - 2])) / 1e9;
  const most = Math.max(...shown.flatMap(r => pairs(r).map(p => p[1]))) / 1048576;
  const chart = plot(`Resident memory of ${program.name} over time`, longest, most,
    v => v + ' s', v => String(v), (x, y) => shown.map(r =>
      line(pairs(r).map(([t, b]) => [x(t / 1e9), y(b / 1048576)]),
        colour(modes.indexOf(r.mode)), 0.95, r.mode)));
  return figure('Resident memory, in MiB', chart);
}
function figure(caption, chart) {
  return el('figure', {}, [el('figcaption', {}, caption), chart]);
}
function programs() {
  page.append(el('h2', {id: 'programs'}, 'Program by program'),
    el('p', {class: 'small soft'}, 'Time split and memory come from one more execution in each mode, ' +
      'which samples and is not part of the figures above. Values above the 99th percentile are ' +
      'drawn at the top edge.'),
    legend(modes.map((mode, i) => [colour(i), mode])),
    legend(PARTS.map(name => [partColour(name), name])));
  if (measured.length > 1) {
    page.append(el('nav', {'aria-label': 'programs'}, measured.map(p =>
      el('a', {href: '#' + p.name}, p.name))));
  }
  measured.forEach(program => page.append(el('section', {class: 'subject', id: program.name}, [
    el('header', {}, [el('h3', {}, program.name),
      el('span', {class: 'small soft'}, program.results.filter(r => r.executions.length)
        .map(r => `${r.mode} ${time(r.summary.median)}`).join(' · ')),
      program.args ? el('code', {class: 'soft'}, 'args: ' + program.args) : null]),
    el('div', {class: 'charts'}, [warmUp(program), parts(program), memory(program)])])));
}

// ---- other languages -----------------------------------------------------------------------------
function others() {
  const found = data.others;  // times of failed runs are missing
  if (!found || !found.programs.length) return;
  const engines = found.engines, base = found.base;
  const head = el('tr', {}, [el('th', {scope: 'col', class: 'text'}, 'program'),
    el('th', {scope: 'col'}, base), ...engines.filter(e => e !== base).map(e =>
      el('th', {scope: 'col'}, e))]);
  const rows = found.programs.map(program => el('tr', {}, [
    el('th', {scope: 'row'}, program.name),
    el('td', {}, time((program.results[base] || {median: NaN}).median)),
    ...engines.filter(e => e !== base).map(e => {
      const r = program.results[e];
      return el('td', {title: r && r.ratio ? `${r.ratio_interval.map(v => v.toFixed(2)).join(' to ')}`
        : ''}, r && r.ratio ? r.ratio.toFixed(2) : r && r.failure ? r.failure : '–');
    })]));
  const mean = el('tr', {}, [el('th', {scope: 'row'}, 'geometric mean'), el('td', {}, ''),
    ...engines.filter(e => e !== base).map(e =>
      el('td', {}, found.means[e] ? found.means[e].toFixed(2) : '–'))]);
  page.append(el('h2', {id: 'others'}, 'Against other languages'),
    el('p', {class: 'small soft'}, `CPU time of the whole process, start-up and compiling included, ` +
      `with full inputs: ${found.executions} executions in turns, medians, as ratios to ${base}. ` +
      `A result counts only if the output is the expected one. Point at a ratio for its interval.`),
    el('div', {class: 'scroll'}, el('table', {}, [el('thead', {}, head),
      el('tbody', {}, rows), el('tbody', {class: 'group'}, mean)])));
}

// ---- method --------------------------------------------------------------------------------------
function method() {
  const machine = data.machine || {}, names = {cpu: 'CPU', cpus: 'CPUs', memory_bytes: 'memory',
    load_before: 'load before', smt: 'SMT', address_randomisation: 'address randomisation'};
  const list = el('dl', {class: 'small'});
  const add = (name, value) => list.append(el('dt', {}, name), el('dd', {}, value));
  Object.entries(machine).forEach(([name, value]) => add(names[name] || name,
    name === 'memory_bytes' ? bytes(value) : String(value)));
  add('pinned to CPUs', data.pinned.length ? data.pinned.join(', ') : 'none');
  add('Skerry', data.skerry);
  add('command', el('code', {}, data.command || ''));
  data.modes.forEach(mode => add('mode ' + mode.name, [mode.meaning + ' ',
    el('code', {}, mode.flags)]));
  page.append(el('h2', {id: 'method'}, 'Machine and method'), list,
    el('p', {class: 'small'}, 'An execution is a process that loads the program once and runs it ' +
      'again and again, each time in a fresh VM; code that the JIT made stays. Modes take turns. ' +
      'Medians and ratios are of the iterations at the final speed, with percentile bootstrap ' +
      'intervals that draw executions first and then iterations (2,000 resamples, fixed seed).'),
    el('p', {class: 'small'}, 'Warm-up: changepoints (PELT, mean and variance) cut each execution ' +
      'into segments. flat: one speed. warm-up: the last speed is the best. slow-down: it was ' +
      'faster before. no steady state: the speed still changes in the last quarter. too short: ' +
      'fewer than 8 iterations.'));
}

head();
ratioBars();
table();
others();
programs();
method();
document.title = page.querySelector('h1').textContent;
