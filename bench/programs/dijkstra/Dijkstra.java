import java.util.ArrayList;
import java.util.Arrays;
import java.util.function.BiPredicate;

public class Dijkstra {
  static final int SIZE = 300, CELLS = SIZE * SIZE;

  static class PriorityQueue<T> {
    final ArrayList<T> items = new ArrayList<>();
    final BiPredicate<T, T> less;

    PriorityQueue(BiPredicate<T, T> less) {
      this.less = less;
    }

    boolean isEmpty() {
      return items.isEmpty();
    }

    void swap(int i, int j) {
      T t = items.get(i);
      items.set(i, items.get(j));
      items.set(j, t);
    }

    void push(T x) {
      int i = items.size();
      items.add(x);
      while (i > 0 && less.test(items.get(i), items.get((i - 1) / 2))) {
        swap(i, (i - 1) / 2);
        i = (i - 1) / 2;
      }
    }

    T pop() {
      T top = items.get(0), last = items.remove(items.size() - 1);
      int count = items.size(), i = 0;
      if (count == 0) return top;
      items.set(0, last);
      while (true) {
        int m = i, l = 2 * i + 1, r = 2 * i + 2;
        if (l < count && less.test(items.get(l), items.get(m))) m = l;
        if (r < count && less.test(items.get(r), items.get(m))) m = r;
        if (m == i) return top;
        swap(i, m);
        i = m;
      }
    }
  }

  record Entry(int distance, int node) {}

  static final int[] cost = new int[CELLS], distance = new int[CELLS];

  static void relax(PriorityQueue<Entry> queue, int to, int d) {
    int next = d + cost[to];
    if (next < distance[to]) {
      distance[to] = next;
      queue.push(new Entry(next, to));
    }
  }

  static long run(int source) {
    PriorityQueue<Entry> queue = new PriorityQueue<>((a, b) -> a.distance() < b.distance());
    Arrays.fill(distance, 1000000000);
    distance[source] = 0;
    queue.push(new Entry(0, source));
    while (!queue.isEmpty()) {
      Entry e = queue.pop();
      int d = e.distance(), node = e.node();
      if (d > distance[node]) continue;
      int x = node % SIZE, y = node / SIZE;
      if (x > 0) relax(queue, node - 1, d);
      if (x < SIZE - 1) relax(queue, node + 1, d);
      if (y > 0) relax(queue, node - SIZE, d);
      if (y < SIZE - 1) relax(queue, node + SIZE, d);
    }
    long sum = 0;
    for (int d : distance) sum += d;
    return sum;
  }

  public static void main(String[] args) {
    int seed = 42;
    for (int i = 0; i < CELLS; i++) {
      seed = (seed * 3877 + 29573) % 139968;
      cost[i] = 1 + seed % 100;
    }
    for (int k = 0; k < 36; k++) System.out.println(run(k * 7717 % CELLS));
  }
}
