// The workloads of workloads.c.
'use strict';

class Node {
  constructor(left, right) { this.left = left; this.right = right; }
}
class Big {
  constructor(a, v0) {
    this.a = a; this.b = null; this.c = null; this.d = null;
    this.v0 = v0; this.v1 = 0; this.v2 = 0;
  }
}
class Small {
  constructor(next, x, y) { this.next = next; this.x = x; this.y = y; }
}

let randomState = 12345;
function nextRandom() {
  randomState ^= randomState << 13;
  randomState ^= randomState >>> 17;
  randomState ^= randomState << 5;
  return randomState >>> 0;
}

function buildTree(depth) {
  if (depth === 0) return new Node(null, null);
  return new Node(buildTree(depth - 1), buildTree(depth - 1));
}
function countNodes(node) {
  return node.left ? 1 + countNodes(node.left) + countNodes(node.right) : 1;
}
function trees(limit) {
  let total = countNodes(buildTree(limit + 1));
  const longlived = buildTree(limit);
  for (let depth = 4; depth <= limit; depth += 4) {
    const rounds = 1 << (limit - depth + 4);
    for (let i = 0; i < rounds; i++) total += countNodes(buildTree(depth));
  }
  return total + countNodes(longlived);
}

let latencies = new Float64Array(0), latencyCount = 0;
function chain(length) {
  let head = null;
  for (let i = 0; i < length; i++) head = new Big(head, i);
  return head;
}
function churn(count, operations) {
  const table = new Array(count).fill(null);
  globalThis.kept = table;
  for (let i = 0; i < count; i++) table[i] = chain(4);
  latencies = new Float64Array(Math.floor(operations / 64) + 1);
  let sum = 0, before = performance.now();
  for (let i = 0; i < operations; i++) {
    let last = null;
    for (let k = 0; k < 4; k++) last = new Small(last, i, 0);
    for (let s = last; s; s = s.next) sum += s.x;
    if (i % 16 === 0) {
      const made = chain(4);
      table[nextRandom() % count] = made;
    }
    if (i % 4 === 1) {
      const made = new Small(null, 0, 0);
      table[nextRandom() % count].b = made;
    }
    if (i % 64 === 63) {
      const now = performance.now();
      latencies[latencyCount++] = (now - before) * 1000;
      before = now;
    }
  }
  return sum;
}

function small(count) {
  const ring = new Array(1024).fill(null);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const made = new Small(null, i, i ^ 5);
    const old = ring[i % 1024];
    if (old) sum += old.x;
    ring[i % 1024] = made;
  }
  return sum;
}

function floats(count, length) {
  const ring = new Array(16).fill(null);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const array = new Float64Array(length);
    for (let k = 0; k < length; k++) array[k] = i + k;
    const old = ring[i % 16];
    if (old) for (let k = 0; k < length; k += 8) sum += old[k];
    ring[i % 16] = array;
  }
  return sum;
}

function strings(count) {
  const ring = new Array(4096).fill(null);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    let text = '';
    for (let k = 0; k < 10; k++) text = text + String.fromCharCode(97 + ((i + k) & 15)) + 'bcdefg,';
    const old = ring[i % 4096];
    if (old) sum += old.length + old.charCodeAt(8);
    ring[i % 4096] = text;
  }
  return sum;
}

function sizes(liveMb, operations) {
  const count = Math.floor(liveMb * 1000000 / 860);
  const table = new Array(count).fill(null);
  globalThis.kept = table;
  for (let i = 0; i < count + operations; i++) {
    const k = i < count ? i : nextRandom() % count;
    const r = nextRandom();
    const least = 32 << r % 7;
    table[k] = new Uint8Array(least + (r >>> 8) % least - 16);
  }
  return count;
}

const [name, a, b] = process.argv.slice(2);
const before = process.cpuUsage(), start = performance.now();
const result = {trees, churn, small, floats, strings, sizes}[name](Number(a), Number(b));
const used = process.cpuUsage(before), wall = performance.now() - start;
let line = `cpu_ms=${((used.user + used.system) / 1000).toFixed(0)} wall_ms=${wall.toFixed(0)} ` +
  `rss_mb=${(process.resourceUsage().maxRSS * 1.024 / 1000).toFixed(1)} result=${result}`;
if (latencyCount) {
  const sorted = latencies.subarray(0, latencyCount).sort();
  line += ` latency_p50_us=${sorted[latencyCount >> 1].toFixed(1)}` +
    ` latency_p99_us=${sorted[Math.floor(latencyCount * 0.99)].toFixed(1)}` +
    ` latency_max_us=${sorted[latencyCount - 1].toFixed(1)}`;
}
console.log(line);
