import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.function.LongPredicate;
import java.util.function.LongUnaryOperator;

/** Java has no coroutines: each stage is an iterator class. */
public class Generators {
  interface Source {
    long END = Long.MIN_VALUE;

    long next();
  }

  static Source naturals(long start) {
    return new Source() {
      long at = start;

      public long next() {
        return at++;
      }
    };
  }

  static Source filter(Source from, LongPredicate test) {
    return () -> {
      while (true) {
        long value = from.next();
        if (value == Source.END || test.test(value)) return value;
      }
    };
  }

  static Source map(Source from, LongUnaryOperator f) {
    return () -> {
      long value = from.next();
      return value == Source.END ? value : f.applyAsLong(value);
    };
  }

  static Source take(Source from, long n) {
    return new Source() {
      long left = n;

      public long next() {
        return left-- > 0 ? from.next() : END;
      }
    };
  }

  record Node(long key, Node left, Node right) {}

  static Node build(long lo, long hi) {
    if (lo > hi) return null;
    long key = (lo + hi) / 2;
    return new Node(key, build(lo, key - 1), build(key + 1, hi));
  }

  static class Keys implements Iterator<Long> {
    final ArrayDeque<Node> stack = new ArrayDeque<>();

    Keys(Node node) {
      descend(node);
    }

    void descend(Node node) {
      for (; node != null; node = node.left()) stack.push(node);
    }

    public boolean hasNext() {
      return !stack.isEmpty();
    }

    public Long next() {
      Node node = stack.pop();
      descend(node.right());
      return node.key();
    }
  }

  public static void main(String[] args) {
    long total = 0;
    for (int round = 0; round < 120; round++) {
      Source values = take(map(filter(naturals(round), n -> n % 3 != 0), n -> n * n % 1009), 300000);
      for (long value = values.next(); value != Source.END; value = values.next())
        total = (total * 7 + value) % 1000003;
    }
    System.out.println(total);
    Node tree = build(1, 100000);
    for (int round = 0; round < 120; round++) {
      for (Keys keys = new Keys(tree); keys.hasNext(); ) total = (total * 7 + keys.next()) % 1000003;
    }
    System.out.println(total);
  }
}
