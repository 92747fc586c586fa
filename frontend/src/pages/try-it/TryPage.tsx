import { Page } from '~/ui/Page';

export function TryPage() {
  return <Page title="TryPage">{null}</Page>;
}
