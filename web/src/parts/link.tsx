// A link, or its words alone where the page has nothing to lead to.
import type { ComponentChildren, JSX } from "preact";

export function Link(props: {
  to: string | undefined;
  label?: string;
  tabIndex?: number;
  children: ComponentChildren;
}): JSX.Element {
  const { to, label, tabIndex, children } = props;
  if (to === undefined) return <span>{children}</span>;
  return (
    <a href={to} {...(label ? { "aria-label": label } : {})} {...(tabIndex ? { tabIndex } : {})}>
      {children}
    </a>
  );
}
