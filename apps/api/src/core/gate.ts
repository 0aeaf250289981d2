/** Lets so many in at once; the others wait for their turn. Whoever entered calls what `enter` answered, once, to leave. */
export function gate(places: number): { enter(): Promise<() => void> } {
  const waiting: (() => void)[] = [];
  let free = places;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return {
    async enter() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => { waiting.push(resolve); });
      return leave;
    },
  };
}
