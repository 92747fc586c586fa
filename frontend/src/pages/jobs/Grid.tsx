/** A table of boxes that stand where they are put: what `<table>` can't do for rows that come and go while one scrolls. */
import type { ComponentProps } from 'react';

export function Cell(props: ComponentProps<'span'>) {
  // biome-ignore lint/a11y/useSemanticElements: see above
  return <span role="cell" {...props} />;
}

export function HeadCell(props: ComponentProps<'span'>) {
  // biome-ignore lint/a11y/useSemanticElements: see above
  // biome-ignore lint/a11y/useFocusableInteractive: the button in it is
  return <span role="columnheader" {...props} />;
}

export function Row(props: ComponentProps<'div'>) {
  // biome-ignore lint/a11y/useSemanticElements: see above
  // biome-ignore lint/a11y/useFocusableInteractive: whoever makes one says whether it is
  return <div role="row" {...props} />;
}

export function Table(props: ComponentProps<'div'>) {
  // biome-ignore lint/a11y/useSemanticElements: see above
  return <div role="table" {...props} />;
}

export function RowGroup(props: ComponentProps<'div'>) {
  // biome-ignore lint/a11y/useSemanticElements: see above
  return <div role="rowgroup" {...props} />;
}
