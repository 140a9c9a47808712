class Record {
  constructor(id, key, score) {
    this.id = id;
    this.key = key;
    this.score = score;
  }
}

function mergeSort(xs, space, lo, hi, cmp) {
  if (hi - lo < 2) return;
  const mid = (lo + hi) >> 1;
  mergeSort(xs, space, lo, mid, cmp);
  mergeSort(xs, space, mid, hi, cmp);
  for (let i = lo; i < hi; i++) space[i] = xs[i];
  let i = lo, j = mid;
  for (let k = lo; k < hi; k++) {
    if (j >= hi || (i < mid && cmp(space[i], space[j]) <= 0)) xs[k] = space[i++];
    else xs[k] = space[j++];
  }
}

function checksum(xs) {
  let sum = 0;
  for (const x of xs) sum = (sum * 31 + x.id) % 1000003;
  return sum;
}

const n = 400000, xs = [];
let seed = 42;
for (let i = 0; i < n; i++) {
  seed = (seed * 3877 + 29573) % 139968;
  const key = seed % 50000;
  seed = (seed * 3877 + 29573) % 139968;
  xs.push(new Record(i, key, seed / 139968));
}
const space = xs.slice();
const orders = [
  (a, b) => a.key - b.key,
  (a, b) => a.score < b.score ? -1 : a.score > b.score ? 1 : 0,
  (a, b) => {
    const k = a.key % 16 - b.key % 16;
    return k !== 0 ? k : b.id - a.id;
  },
];
for (let round = 0; round < 6; round++) {
  mergeSort(xs, space, 0, n, orders[round % 3]);
  console.log(`${round} ${checksum(xs)}`);
}
