const SIZE = 300, CELLS = SIZE * SIZE;

class PriorityQueue {
  constructor(less) {
    this.items = [];
    this.less = less;
  }
  isEmpty() {
    return this.items.length === 0;
  }
  push(x) {
    const items = this.items, less = this.less;
    let i = items.length;
    items.push(x);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!less(items[i], items[parent])) return;
      const t = items[i];
      items[i] = items[parent];
      items[parent] = t;
      i = parent;
    }
  }
  pop() {
    const items = this.items, less = this.less;
    const top = items[0], last = items.pop(), count = items.length;
    if (count === 0) return top;
    items[0] = last;
    let i = 0;
    while (true) {
      let m = i;
      const l = 2 * i + 1, r = 2 * i + 2;
      if (l < count && less(items[l], items[m])) m = l;
      if (r < count && less(items[r], items[m])) m = r;
      if (m === i) return top;
      const t = items[i];
      items[i] = items[m];
      items[m] = t;
      i = m;
    }
  }
}

class Entry {
  constructor(distance, node) {
    this.distance = distance;
    this.node = node;
  }
}

const cost = new Int32Array(CELLS), distance = new Int32Array(CELLS);

function relax(queue, to, d) {
  const next = d + cost[to];
  if (next < distance[to]) {
    distance[to] = next;
    queue.push(new Entry(next, to));
  }
}

function run(source) {
  const queue = new PriorityQueue((a, b) => a.distance < b.distance);
  distance.fill(1000000000);
  distance[source] = 0;
  queue.push(new Entry(0, source));
  while (!queue.isEmpty()) {
    const e = queue.pop();
    if (e.distance > distance[e.node]) continue;
    const x = e.node % SIZE, y = Math.floor(e.node / SIZE);
    if (x > 0) relax(queue, e.node - 1, e.distance);
    if (x < SIZE - 1) relax(queue, e.node + 1, e.distance);
    if (y > 0) relax(queue, e.node - SIZE, e.distance);
    if (y < SIZE - 1) relax(queue, e.node + SIZE, e.distance);
  }
  let sum = 0;
  for (let i = 0; i < CELLS; i++) sum += distance[i];
  return sum;
}

let seed = 42;
for (let i = 0; i < CELLS; i++) {
  seed = (seed * 3877 + 29573) % 139968;
  cost[i] = 1 + seed % 100;
}
for (let k = 0; k < 36; k++) console.log(String(run(k * 7717 % CELLS)));
