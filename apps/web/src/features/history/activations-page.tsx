export function ActivationsPage() { return null; }
