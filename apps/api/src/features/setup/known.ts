import { GraphError } from '@gatehouse/graph';

/** What is read, or `undefined` where it is not there, or not yet. Any other failure is thrown. */
export async function known<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError && error.failure === 'not-found') return undefined;
    throw error;
  });
}
