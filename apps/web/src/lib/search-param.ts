import { useSearchParams } from 'react-router';

/** Sets one parameter of the address, or takes it away; the others stay, and so does the place on the page. */
export function usePutParam(): (name: string, value: string | undefined, replace?: boolean) => void {
  const [, setSearch] = useSearchParams();
  return (name, value, replace = true) => {
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (value === undefined || value === '') next.delete(name);
      else next.set(name, value);
      return next;
    }, { replace, preventScrollReset: true });
  };
}
