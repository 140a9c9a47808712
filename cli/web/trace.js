// What the JIT did. Everything is linked by words: offsets of the VM's instruction words, which IR,
// LLVM IR (as line numbers of its debug locations) and assembly (.loc) carry.
const page = document.getElementById('page');
const NONE = 4294967295, DONE = 1 << 30;
const KINDS = ['loop', 'function', 'segment'];
const EXITS = ['guard', 'failure', 'caller left', 'hoisted guard'];

// ---- looking things up ---------------------------------------------------------------------------
const functions = [...data.functions].sort((a, b) => a.start - b.start);
const numbered = new Map(data.functions.map(f => [f.number, f]));
const abortOf = new Map(data.aborts.map(a => [a.number, a]));
const ordinals = data.end.length ? data.end[0].ns : null;
function functionAt(pc) {
  return functions.find(f => pc >= f.start && pc < f.end);
}
function lineAt(pc) {
  const f = functionAt(pc);
  let line = 0;
  for (let i = 0; f && i < f.lines.length && f.lines[i] <= pc; i += 2) line = f.lines[i + 1];
  if (f && !line && f.lines.length) line = f.lines[1];
  return line;
}
const shortPath = path => path.replace(/.*\//, '');
function place(pc) {
  const f = functionAt(pc);
  return f ? `${f.name} (${shortPath(f.path)}:${lineAt(pc)})` : `word ${pc}`;
}

/// Everything of one tree, from the lists of events.
const trees = data.trees.map(tree => ({...tree, versions: [], starts: [], stops: [], refused: []}));
const treeOf = new Map(trees.map(t => [t.tree, t]));
data.compiled.forEach(c => treeOf.get(c.tree).versions.push(c));
data.starts.forEach(s => treeOf.get(s.tree).starts.push(s));
data.stops.forEach(s => treeOf.get(s.tree).stops.push(s));
data.refused.forEach(r => treeOf.get(r.tree).refused.push(r));
data.ends.forEach(e => Object.assign(treeOf.get(e.tree), {end: e}));
const countsOf = new Map(data.counts.map(c => [`${c.tree}/${c.version}`, c.counts]));
const treeAt = new Map(trees.map(t => [t.pc, t]));
const nameOf = tree => {
  const f = numbered.get(tree.function), name = f ? f.name : '?';
  return tree.kind === 1 ? name : `${KINDS[tree.kind]} in ${name}, line ${lineAt(tree.pc)}`;
};
const last = list => list[list.length - 1];

/// How often an exit was taken, and what became of it.
function exitFacts(tree, version, index) {
  const counts = countsOf.get(`${tree.tree}/${version.version}`) || [];
  const start = tree.starts.find(s => s.version === version.version && s.exit === index);
  const closed = data.closed.find(c => c.tree === tree.tree && c.version === version.version &&
    c.exit === index);
  const before = start ? start.taken : closed ? closed.taken : 0;
  const [kind, pc] = version.exits.slice(4 * index, 4 * index + 2);
  const taken = before + (counts[index] || 0) % DONE;
  let leads = `the interpreter, at ${place(pc)}`;
  const target = treeAt.get(pc);
  if (target) leads = `tree ${target.tree}: ${nameOf(target)}`;
  if (kind === 1) leads = 'an error or fault that is pending';
  if (kind === 2) leads = 'whoever called: a tree that was called has left';
  if (kind === 3) leads = `the loop's head, ${place(pc)}: a guard that was moved before the loop`;
  if (start) {
    const next = tree.versions.find(v => v.ns > start.ns);
    leads = next ? `its path was recorded, and is in compilation ${next.version}`
      : 'its path was recorded; not compiled by the end of the run';
  } else if (closed) {
    leads += target ? '' : ' (the end of the tree: not recorded)';
  }
  return {kind: EXITS[kind] || kind, pc, context: version.exits[4 * index + 2], taken, leads};
}
const exitsOf = version => version.exits.length / 4;
function takenOf(tree) {
  return (tree.end ? tree.end.untold : 0) + tree.versions.reduce((sum, v) => {
    for (let i = 0; i < exitsOf(v); i++) sum += exitFacts(tree, v, i).taken;
    return sum;
  }, 0);
}

// ---- head and overview ---------------------------------------------------------------------------
function head() {
  const compiled = data.compiled.filter(c => !(c.flags & 1));
  const sum = (list, field) => list.reduce((a, b) => a + b[field], 0);
  page.append(el('h1', {}, 'What the JIT did'),
    el('p', {class: 'lead'}, [el('code', {}, data.log), ` · ${data.machine.cpu || 'unknown CPU'} · ` +
      `Skerry ${data.skerry}`]),
    el('p', {}, `${trees.length} places became hot; ${data.starts.length} recordings; ` +
      `${compiled.length} ${compiled.length === 1 ? 'compilation' : 'compilations'} took ${time(sum(compiled, 'compile_ns'))} and gave ` +
      `${bytes(sum(compiled, 'code_bytes'))} of machine code; ${data.refused.length} were refused.` +
      (ordinals ? ` The log spans ${time(ordinals)}.` : ' The log has no end: the run was cut off.')));
  if (data.text_left_out) {
    page.append(el('p', {class: 'note small'}, `${bytes(data.text_left_out)} of IR and code are left ` +
      'out: --text-limit sets how much a page may hold.'));
  }
  if (!data.texts.length && trees.length) {
    page.append(el('p', {class: 'note small'}, 'This log has no IR and code: `skerry trace-view ' +
      'PROGRAM` runs a program and keeps them.'));
  }
}
function tableOf(caption, columns, rows) {
  return el('div', {class: 'scroll'}, el('table', {}, [
    caption ? el('caption', {}, caption) : null,
    el('thead', {}, el('tr', {}, columns.map(([text, name]) =>
      el('th', {scope: 'col', class: name}, text)))),
    el('tbody', {}, rows.map(row => el('tr', {}, row.map((cell, i) =>
      el(i ? 'td' : 'th', {scope: i ? null : 'row', class: columns[i][1]}, cell)))))]));
}
function overview() {
  const rows = trees.map(tree => {
    const code = last(tree.versions), stop = last(tree.stops);
    return [el('a', {href: `#tree${tree.tree}`}, `${tree.tree}: ${nameOf(tree)}`),
      tree.end ? String(tree.end.entries) : '–', String(tree.starts.length),
      String(tree.versions.length), code ? bytes(code.code_bytes) : '–',
      time(tree.versions.reduce((a, v) => a + v.compile_ns, 0)),
      code ? String(exitsOf(code)) : '–', String(takenOf(tree)),
      tree.refused.length ? 'refused: ' + abortOf.get(last(tree.refused).abort).text
        : stop ? abortOf.get(stop.abort).text : code && code.flags & 1 ? 'came from the disk' : '–'];
  });
  page.append(el('h2', {id: 'trees'}, 'Trees'), tableOf('Entries are those from the interpreter; ' +
    'code and exits those of the last compilation; exits taken those of all.',
    [['tree', 'text'], ['entries'], ['recordings'], ['compilations'], ['code'], ['compiling'],
      ['exits'], ['taken'], ['the last recording ended', 'text']], rows));
}
function aborts() {
  const groups = new Map();
  data.stops.concat(data.refused).forEach(stop => {
    const tree = treeOf.get(stop.tree), pc = stop.pc === undefined ? tree.pc : stop.pc;
    const key = `${stop.abort}/${place(pc)}`;
    const group = groups.get(key) || {abort: stop.abort, pc, count: 0, trees: new Set()};
    group.count++;
    group.trees.add(stop.tree);
    groups.set(key, group);
  });
  const rows = [...groups.values()].sort((a, b) => b.count - a.count).map(g => [
    el('code', {}, abortOf.get(g.abort).name), abortOf.get(g.abort).text, place(g.pc),
    String(g.count), [...g.trees].map(t => el('a', {href: `#tree${t}`}, `${t} `))]);
  if (rows.length) {
    page.append(el('h2', {id: 'aborts'}, 'Why recordings ended'), tableOf('', [['reason', 'text'],
      ['meaning', 'text'], ['at', 'text'], ['times'], ['trees', 'text']], rows));
  }
}

// ---- code ----------------------------------------------------------------------------------------
/// Lines of a text as [text, words it comes from].
const parsers = {
  words: text => text.split('\n').filter(line => !line.trim().startsWith('; line'))
    .map(line => {
      const found = line.match(/^\s*(\d+)\s/);
      return [line, found ? [Number(found[1])] : []];
    }),
  ir: text => text.split('\n').map(line => {
    const found = line.match(/@(\d+)/) || line.match(/^(?:b|s)\d+:.* pc (\d+)/) ||
      line.match(/^s\d+: \w+ pc (\d+)/);
    return [line, found ? [Number(found[1])] : []];
  }),
  llvm: text => {
    const lines = text.split('\n'), places = new Map();
    lines.forEach(line => {
      const found = line.match(/^!(\d+) = !DILocation\(line: (\d+)/);
      if (found) places.set(found[1], Number(found[2]));
    });
    return lines.filter(line => !/^(!\d+ = |!llvm|source_filename|target |attributes|; ModuleID)/
      .test(line)).map(line => {
      const found = line.match(/, !dbg !(\d+)/), word = found && places.get(found[1]);
      return [line.replace(/, !dbg !\d+/, '').replace(/, !prof !\d+/, ''), word ? [word] : []];
    });
  },
  assembly: text => {
    const result = [];
    let word = 0, ends = false;
    text.split('\n').forEach(line => {
      const place = line.match(/^\s*\.loc\s+\d+ (\d+)/);
      if (place) word = Number(place[1]);
      if (/^\s*\.section/.test(line) && result.length) ends = true;
      if (/^\s*\.(text|globl)/.test(line)) ends = false;
      if (ends || place || /^\s*\.(cfi|file|text|globl|type|size|p2align|byte|long|quad)/.test(line) ||
          /^\.L(tmp|func)/.test(line) || !line.trim()) return;
      result.push([line.replace(/\t/g, ' '.repeat(4)), word && !/:$/.test(line) ? [word] : []]);
    });
    return result;
  },
};
function parserOf(stage) {
  return stage === 'LLVM IR' ? parsers.llvm : stage === 'assembly' ? parsers.assembly
    : stage === 'words' ? parsers.words : parsers.ir;
}
function codePane(lines) {
  const pane = el('div', {class: 'code', tabindex: 0});
  lines.forEach(([text, words], index) => pane.append(el('div', {
    'data-w': words.length ? words.join(' ') : null,
    'data-l': words.length ? lineKey(words[0]) : null}, [
    el('span', {class: 'no'}, String(index + 1)),
    el('span', {class: words.length ? '' : 'quiet'}, text || ' ')])));
  return pane;
}
function lineKey(pc) {
  const f = functionAt(pc);
  return f ? `${f.path}:${lineAt(pc)}` : null;
}

/// What is known of each source line: how hot it is, and notes.
const lineFacts = new Map();
function factsOf(key) {
  if (!lineFacts.has(key)) lineFacts.set(key, {heat: 0, notes: []});
  return lineFacts.get(key);
}
trees.forEach(tree => {
  const key = lineKey(tree.pc), code = last(tree.versions);
  if (key) factsOf(key).notes.push(`${KINDS[tree.kind]} tree ${tree.tree}`);
  if (!code) return;
  const inTree = new Set();
  for (let i = 0; i < code.contexts.length; i += 3) {
    const f = numbered.get(code.contexts[i + 2]);
    if (!f) continue;
    for (let k = 0; k < f.lines.length; k += 2) {
      const inside = i > 0 || tree.kind === 1 || code.ways.some((_, w) =>
        w % 5 === 1 && Math.abs(lineAt(code.ways[w]) - f.lines[k + 1]) <= 1 &&
        functionAt(code.ways[w]) === f) || f.lines[k + 1] === lineAt(tree.pc);
      if (inside) inTree.add(`${f.path}:${f.lines[k + 1]}`);
    }
  }
  texts(tree, code.version).forEach(t => {
    if (t.stage === 'assembly') {
      parsers.assembly(t.text).forEach(([, words]) => words.forEach(w => {
        const found = lineKey(w);
        if (found) factsOf(found).heat = Math.max(factsOf(found).heat, 2);
      }));
    }
  });
  inTree.forEach(line => { factsOf(line).heat = Math.max(factsOf(line).heat, 1); });
  for (let i = 0; i < exitsOf(code); i++) {
    const facts = exitFacts(tree, code, i), found = lineKey(facts.pc);
    if (found && facts.taken >= 1000) factsOf(found).heat = 3;
  }
});
data.stops.forEach(stop => {
  if (stop.abort === 0) return;
  const key = lineKey(stop.pc), name = abortOf.get(stop.abort).name;
  if (key && !factsOf(key).notes.includes(name)) factsOf(key).notes.push(name);
});
function texts(tree, version) {
  return data.texts.filter(t => t.tree === tree.tree && t.version === version);
}

function sourcePane(path, from, to) {
  const text = data.sources[path];
  if (text === undefined) return el('p', {class: 'soft small'}, `${path} is not there to be shown.`);
  const pane = el('div', {class: 'code', tabindex: 0});
  text.split('\n').forEach((line, index) => {
    const number = index + 1, key = `${path}:${number}`, facts = lineFacts.get(key);
    if (number < from || number > to) return;
    pane.append(el('div', {'data-l': key, class: facts && facts.heat ? `hot${facts.heat}` : ''}, [
      el('span', {class: 'no'}, String(number)), el('span', {}, line || ' '),
      facts && facts.notes.length ? el('span', {class: 'tag'}, '← ' + facts.notes.join(', ')) : null]));
  });
  return pane;
}
function sources() {
  const paths = Object.keys(data.sources);
  if (!paths.length) return;
  page.append(el('h2', {id: 'source'}, 'Source'), el('p', {class: 'small soft'},
    'Marked on the left: lines with machine code (dark), lines in a trace whose code went (light), ' +
    'and lines at which a trace is left 1,000 times or more (red). Click on a line to see what ' +
    'became of it below.'));
  paths.forEach(path => page.append(el('h3', {}, path), sourcePane(path, 1, 1e9)));
}

// ---- one tree ------------------------------------------------------------------------------------
function stagesOf(tree, version) {
  const words = version.contexts.filter((_, i) => i % 3 === 2);
  const seen = new Set();
  const wordTexts = words.filter(f => !seen.has(f) && seen.add(f)).map(f =>
    data.texts.find(t => t.stage === 'words' && t.version === 0 && t.tree === f)).filter(Boolean);
  const result = [];
  if (wordTexts.length) {
    result.push({name: 'words', stage: 'words', text: wordTexts.map(t => t.text).join('\n')});
  }
  let before = null;
  texts(tree, version.version).forEach((t, index) => {
    const isIr = t.stage !== 'LLVM IR' && t.stage !== 'assembly';
    const name = !isIr ? t.stage : index === 0 ? 'IR as built' : `IR after ${index}: ${t.stage}` +
      (t.text === before ? ' (no change)' : '');
    before = t.text;
    result.push({name, stage: t.stage, text: t.text});
  });
  return result;
}
function pane(stages, chosen) {
  const holder = el('div'), select = el('select', {'aria-label': 'stage'},
    stages.map((s, i) => el('option', {value: i}, s.name)));
  const show = () => {
    const stage = stages[select.value];
    holder.replaceChildren(codePane(parserOf(stage.stage)(stage.text)));
  };
  select.value = String(chosen);
  select.addEventListener('change', show);
  show();
  return el('div', {}, [el('header', {}, select), holder]);
}
function sourceOf(tree) {
  const f = numbered.get(tree.function);
  if (!f || data.sources[f.path] === undefined) return null;
  const lines = f.lines.filter((_, i) => i % 2);
  return el('div', {}, [el('header', {}, `${shortPath(f.path)}, ${f.name}`),
    sourcePane(f.path, Math.max(1, Math.min(...lines) - 2), Math.max(...lines) + 2)]);
}
function versionPart(tree, version) {
  const stages = stagesOf(tree, version), panes = el('div', {class: 'panes'});
  const source = sourceOf(tree);
  if (source) panes.append(source);
  if (stages.length) {
    const isIr = s => s.name.startsWith('IR');
    const final = stages.map((s, i) => isIr(s) ? i : -1).reduce((a, b) => Math.max(a, b), 0);
    panes.append(pane(stages, final), pane(stages, stages.length - 1));
  }
  const exits = [];
  for (let i = 0; i < exitsOf(version); i++) {
    const e = exitFacts(tree, version, i);
    exits.push([String(i), e.kind, place(e.pc), e.context ? `inlined call ${e.context}` : 'itself',
      String(e.taken), e.leads]);
  }
  const inlined = [];
  for (let i = 3; i < version.contexts.length; i += 3) {
    const f = numbered.get(version.contexts[i + 2]);
    inlined.push(`${i / 3}: ${f ? f.name : '?'} called at ${place(version.contexts[i + 1])}`);
  }
  return el('div', {}, [
    el('p', {class: 'small soft'}, `${version.flags & 1 ? 'From the disk. ' : ''}` +
      `${version.built} operations as built, ${version.optimised} after the passes; ` +
      `${bytes(version.code_bytes)} of code; compiled in ${time(version.compile_ns)}, ready at ` +
      `${time(version.ns)}.` + (inlined.length ? ` Inlined: ${inlined.join('; ')}.` : '')),
    panes,
    exits.length ? tableOf('Exits' + (tree.end && tree.end.untold
      ? `; ${tree.end.untold} times it was left by one that is not counted (the loop's end)` : ''), [['exit', 'text'], ['kind', 'text'], ['at', 'text'],
      ['in', 'text'], ['taken'], ['leads to', 'wrap']], exits) : null]);
}
function treePart(tree) {
  const holder = el('div'), select = el('select', {'aria-label': 'compilation'},
    tree.versions.map((v, i) => el('option', {value: i}, `compilation ${v.version}`)));
  const show = () => holder.replaceChildren(versionPart(tree, tree.versions[select.value]));
  if (tree.versions.length) {
    select.value = String(tree.versions.length - 1);
    select.addEventListener('change', show);
    show();
  }
  const recordings = tree.starts.map((start, i) => {
    const stop = tree.stops[i];
    return [String(i + 1), time(start.ns), start.exit === NONE ? 'its anchor'
      : `exit ${start.exit} of compilation ${start.version}, taken ${start.taken} times`,
    stop ? el('code', {}, abortOf.get(stop.abort).name) : '–',
    stop ? abortOf.get(stop.abort).text : '', stop ? place(stop.pc) : '',
    stop ? String(stop.steps) : '', stop ? (stop.grew ? 'yes' : 'no') : ''];
  });
  return el('section', {class: 'tree', id: `tree${tree.tree}`}, [
    el('header', {}, [el('h3', {}, `Tree ${tree.tree}: ${nameOf(tree)}`),
      el('span', {class: 'small soft'}, place(tree.pc)),
      tree.versions.length > 1 ? select : null,
      tree.end && tree.end.given_up ? el('span', {class: 'small soft'}, 'given up') : null]),
    tree.versions.length ? holder : el('p', {class: 'soft small'}, tree.refused.length
      ? `Not compiled: ${abortOf.get(last(tree.refused).abort).text}.` : 'Never compiled.'),
    recordings.length ? tableOf('Recordings', [['', 'text'], ['began'], ['at', 'text'],
      ['ended', 'text'], ['', 'text'], ['place', 'text'], ['words'], ['found new paths', 'text']],
    recordings) : null]);
}

// ---- links ---------------------------------------------------------------------------------------
/// Marks what comes from the same words; a line of source stands for all of its words.
function mark(target) {
  const words = target.dataset.w ? new Set(target.dataset.w.split(' ')) : null;
  const line = target.dataset.l, within = target.closest('.tree');
  document.querySelectorAll('.code .on').forEach(one => one.classList.remove('on'));
  const panes = new Set();
  document.querySelectorAll('.code [data-l], .code [data-w]').forEach(one => {
    const same = words && one.dataset.w ? one.dataset.w.split(' ').some(w => words.has(w))
      : one.dataset.l === line;
    if (!same) return;
    one.classList.add('on');
    const code = one.closest('.code');
    if (panes.has(code) || code === target.closest('.code')) return;
    panes.add(code);
    if (!within || within.contains(code)) code.scrollTop = one.offsetTop - 120;
  });
}
document.addEventListener('click', event => {
  const target = event.target.closest('.code div[data-w], .code div[data-l]');
  if (target) mark(target);
});

head();
if (trees.length) overview();
aborts();
sources();
if (trees.length) page.append(el('h2', {}, 'Tree by tree'));
trees.forEach(tree => page.append(treePart(tree)));
document.title = 'Traces of ' + shortPath(data.log);
