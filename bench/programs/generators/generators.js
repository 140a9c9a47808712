function* naturals(start) {
  for (let i = start; ; i++) yield i;
}
function* filter(from, test) {
  for (const value of from) if (test(value)) yield value;
}
function* map(from, f) {
  for (const value of from) yield f(value);
}
function* take(from, n) {
  if (n === 0) return;
  for (const value of from) {
    yield value;
    if (--n === 0) return;
  }
}

function build(lo, hi) {
  if (lo > hi) return null;
  const key = (lo + hi) >> 1;
  return { key, left: build(lo, key - 1), right: build(key + 1, hi) };
}
function* keys(node) {
  if (node === null) return;
  yield* keys(node.left);
  yield node.key;
  yield* keys(node.right);
}

let total = 0;
for (let round = 0; round < 120; round++) {
  const values = take(map(filter(naturals(round), n => n % 3 !== 0), n => n * n % 1009), 300000);
  for (const value of values) total = (total * 7 + value) % 1000003;
}
console.log(String(total));
const tree = build(1, 100000);
for (let round = 0; round < 120; round++) {
  for (const key of keys(tree)) total = (total * 7 + key) % 1000003;
}
console.log(String(total));
