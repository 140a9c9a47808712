import java.util.ArrayList;

public class Events {
  record Event(double time, long number, Runnable action) {
    boolean before(Event o) {
      return time < o.time || (time == o.time && number < o.number);
    }
  }

  record Customer(double arrived, double service) {}

  static final ArrayList<Event> heap = new ArrayList<>();
  static long numbers;
  static double now;

  static void schedule(double delay, Runnable action) {
    Event event = new Event(now + delay, numbers++, action);
    int i = heap.size();
    heap.add(event);
    while (i > 0 && event.before(heap.get((i - 1) / 2))) {
      heap.set(i, heap.get((i - 1) / 2));
      i = (i - 1) / 2;
    }
    heap.set(i, event);
  }

  static void step() {
    Event top = heap.get(0), last = heap.remove(heap.size() - 1);
    int i = 0, count = heap.size();
    while (2 * i + 1 < count) {
      int child = 2 * i + 1;
      if (child + 1 < count && heap.get(child + 1).before(heap.get(child))) child++;
      if (!heap.get(child).before(last)) break;
      heap.set(i, heap.get(child));
      i = child;
    }
    if (count > 0) heap.set(i, last);
    now = top.time();
    top.action().run();
  }

  static int seed = 42;

  static double draw() {
    seed = (seed * 3877 + 29573) % 139968;
    return seed / 139968.0;
  }

  static int free = 50, served, longest, head;
  static double waited;
  static final ArrayList<Customer> queue = new ArrayList<>();

  static void begin(Customer customer) {
    waited += now - customer.arrived();
    schedule(customer.service(), () -> {
      served++;
      if (head < queue.size()) begin(queue.get(head++));
      else free++;
    });
  }

  static void arrive() {
    Customer customer = new Customer(now, 20 + draw() * 60);
    if (free > 0) {
      free--;
      begin(customer);
    } else {
      queue.add(customer);
      longest = Math.max(longest, queue.size() - head);
    }
    schedule(draw() * 2.02, Events::arrive);
  }

  public static void main(String[] args) {
    schedule(0, Events::arrive);
    while (served < 3000000) step();
    System.out.println(served + " " + longest + " " + numbers);
    System.out.println(String.format("%.6f %.6f", now, waited / served));
  }
}
