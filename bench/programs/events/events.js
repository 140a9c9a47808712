class Event {
  constructor(time, number, action) {
    this.time = time;
    this.number = number;
    this.action = action;
  }
}

function before(a, b) {
  return a.time < b.time || (a.time === b.time && a.number < b.number);
}

const heap = [];
let numbers = 0, now = 0;

function schedule(delay, action) {
  const event = new Event(now + delay, numbers++, action);
  let i = heap.length;
  heap.push(event);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(event, heap[parent])) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = event;
}

function step() {
  const top = heap[0], last = heap.pop(), count = heap.length;
  let i = 0;
  while (2 * i + 1 < count) {
    let child = 2 * i + 1;
    if (child + 1 < count && before(heap[child + 1], heap[child])) child++;
    if (!before(heap[child], last)) break;
    heap[i] = heap[child];
    i = child;
  }
  if (count > 0) heap[i] = last;
  now = top.time;
  top.action();
}

let seed = 42;
function draw() {
  seed = (seed * 3877 + 29573) % 139968;
  return seed / 139968;
}

let free = 50, served = 0, longest = 0, waited = 0;
const queue = [];
let head = 0;

function begin(customer) {
  waited += now - customer.arrived;
  schedule(customer.service, () => {
    served++;
    if (head < queue.length) begin(queue[head++]);
    else free++;
  });
}

function arrive() {
  const customer = { arrived: now, service: 20 + draw() * 60 };
  if (free > 0) {
    free--;
    begin(customer);
  } else {
    queue.push(customer);
    longest = Math.max(longest, queue.length - head);
  }
  schedule(draw() * 2.02, arrive);
}

schedule(0, arrive);
while (served < 3000000) step();
console.log(`${served} ${longest} ${numbers}`);
console.log(`${now.toFixed(6)} ${(waited / served).toFixed(6)}`);
