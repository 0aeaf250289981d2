/**
 * What a group's name lacks of the pattern application-role-nature, such as FinReport-SeniorAnalyst-SecureAccess, in a
 * sentence; `undefined` where it follows it. Another name is taken as well: the pattern is for those who read it later.
 */
export function follows(displayName: string): string | undefined {
  const parts = displayName.split('-');
  if (parts.length === 3 && parts.every((part) => /^[A-Za-z0-9]+$/.test(part))) return undefined;
  const how = parts.length < 3 ? `has ${parts.length === 1 ? 'one part' : 'two parts'}` : parts.length > 3 ? `has ${parts.length} parts` : 'has signs other than letters and digits in a part';
  return `By the pattern Application-Role-Nature a name has three parts; this one ${how}. It is taken as it is`;
}
