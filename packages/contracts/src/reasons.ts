/** Words that people give in place of a reason: whoever reads the history later learns nothing from them. */
const EMPTY = new Set([
  'test', 'testing', 'tests', 'tst', 'check', 'checking', 'bau', 'business', 'usual', 'work', 'working', 'job', 'task', 'tasks', 'stuff', 'thing', 'things', 'daily', 'normal', 'regular', 'routine',
  'access', 'activate', 'activation', 'pim', 'admin', 'role', 'login', 'logon', 'need', 'needs', 'needed', 'want', 'require', 'required', 'requested', 'request', 'reason', 'justification',
  'urgent', 'asap', 'important', 'quick', 'now', 'today', 'again', 'same', 'various', 'general', 'other', 'misc', 'tmp', 'temp', 'todo', 'tbd', 'na', 'none', 'no', 'yes', 'ok', 'okay', 'null', 'nil', 'empty', 'blank',
  'because', 'discussed', 'above', 'before', 'foo', 'bar', 'baz', 'blah', 'bla', 'hello', 'hi', '123', '1234', 'asdf', 'asd', 'qwer', 'qwerty', 'abc', 'lorem', 'ipsum',
]);
/** Words that only join others. */
const JOINING = new Set(['a', 'an', 'the', 'to', 'for', 'of', 'in', 'on', 'at', 'as', 'is', 'it', 'this', 'that', 'my', 'i', 'me', 'we', 'our', 'and', 'or', 'do', 'doing', 'some', 'just', 'please', 'have', 'get', 'see', 'n']);

/**
 * Whether what somebody typed as the reason tells nobody anything, such as `test`, `BAU` or `...`. What is not surely
 * empty counts as a reason: nobody is held up over a short word that means something to their colleagues.
 */
export function saysNothing(reason: string): boolean {
  const words = reason.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.every((word) => EMPTY.has(word) || JOINING.has(word) || /^(.)\1*$/u.test(word) || /^\d{1,2}$/.test(word));
}
