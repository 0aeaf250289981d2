/**
 * Calls that meet and ask for the same share one read, which is of the moment when the first of them came: a page asks for a
 * list and for how many there are at once, what their filters mean is the same, and each says how complete the log is.
 */
export function sharing<Asked extends readonly unknown[], T>(read: (...asked: Asked) => Promise<T>): (...asked: Asked) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  return (...asked) => {
    const key = JSON.stringify(asked);
    const shared = running.get(key) ?? read(...asked).finally(() => { running.delete(key); });
    running.set(key, shared);
    return shared;
  };
}
