import { Link } from '@fluentui/react-link';
import type { ReactNode } from 'react';
import { useHref, useLinkClickHandler } from 'react-router';

/** A link to a page of the portal, within a text. */
export function TextLink({ to, children }: { to: string; children: ReactNode }) {
  const href = useHref(to);
  const go = useLinkClickHandler<HTMLAnchorElement>(to);
  return <Link href={href} inline onClick={(event) => { go(event as React.MouseEvent<HTMLAnchorElement>); }}>{children}</Link>;
}
