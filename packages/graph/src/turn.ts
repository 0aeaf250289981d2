/**
 * Collects what is asked for in one turn of the event loop and hands it over together. Everything that was asked for by
 * the time the loop comes round is in: what `Promise.all` began, and what followed at once.
 */
export function collecting<T>(handOver: (asked: readonly T[]) => void): (item: T) => void {
  let asked: T[] = [];
  return (item) => {
    asked.push(item);
    if (asked.length > 1) return;
    setImmediate(() => {
      const together = asked;
      asked = [];
      handOver(together);
    });
  };
}
