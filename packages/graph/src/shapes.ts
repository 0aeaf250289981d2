import { z } from 'zod';

/** Text that Graph may leave out, null or empty: all three mean that there is none. */
export const optionalText = z.string().nullish().transform((text) => text || undefined);

/** One of the words, whatever its casing: Graph's pages print `Direct` and its answers `direct`. */
export const word = <const W extends string>(words: readonly W[]) =>
  z.string().transform((text, context): W => {
    const known = oneOf(words, text);
    if (known !== undefined) return known;
    context.addIssue({ code: 'custom', message: `"${text}" is none of ${words.join(', ')}` });
    return z.NEVER;
  });

/** The same for lists of words that may grow: a new one is `unknown`, not an error. */
export const openWord = <const W extends string>(words: readonly W[]) =>
  z.string().nullish().transform((text): W | 'unknown' => oneOf(words, text ?? '') ?? 'unknown');

/** The same where the word may be missing: a new one is as good as none. */
export const optionalWord = <const W extends string>(words: readonly W[]) =>
  z.string().nullish().transform((text): W | undefined => oneOf(words, text ?? ''));

function oneOf<const W extends string>(words: readonly W[], text: string): W | undefined {
  return words.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
}
