export function SetupsPage() { return null; }
