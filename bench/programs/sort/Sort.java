import java.util.Comparator;

public class Sort {
  record Item(int id, int key, double score) {}

  static <T> void mergeSort(T[] xs, T[] space, int lo, int hi, Comparator<T> cmp) {
    if (hi - lo < 2) return;
    int mid = (lo + hi) / 2;
    mergeSort(xs, space, lo, mid, cmp);
    mergeSort(xs, space, mid, hi, cmp);
    for (int i = lo; i < hi; i++) space[i] = xs[i];
    int i = lo, j = mid;
    for (int k = lo; k < hi; k++) {
      if (j >= hi || (i < mid && cmp.compare(space[i], space[j]) <= 0)) xs[k] = space[i++];
      else xs[k] = space[j++];
    }
  }

  static long checksum(Item[] xs) {
    long sum = 0;
    for (Item x : xs) sum = (sum * 31 + x.id()) % 1000003;
    return sum;
  }

  public static void main(String[] args) {
    int n = 400000, seed = 42;
    Item[] xs = new Item[n];
    for (int i = 0; i < n; i++) {
      seed = (seed * 3877 + 29573) % 139968;
      int key = seed % 50000;
      seed = (seed * 3877 + 29573) % 139968;
      xs[i] = new Item(i, key, seed / 139968.0);
    }
    Item[] space = xs.clone();
    Comparator<Item> byKey = (a, b) -> a.key() - b.key();
    Comparator<Item> byScore = (a, b) -> a.score() < b.score() ? -1 : a.score() > b.score() ? 1 : 0;
    Comparator<Item> byBoth = (a, b) -> {
      int k = a.key() % 16 - b.key() % 16;
      return k != 0 ? k : b.id() - a.id();
    };
    for (int round = 0; round < 6; round++) {
      Comparator<Item> order = round % 3 == 0 ? byKey : round % 3 == 1 ? byScore : byBoth;
      mergeSort(xs, space, 0, n, order);
      System.out.println(round + " " + checksum(xs));
    }
  }
}
