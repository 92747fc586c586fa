import { Page } from '~/ui/Page';

export function ServicesPage() {
  return <Page title="ServicesPage">{null}</Page>;
}
