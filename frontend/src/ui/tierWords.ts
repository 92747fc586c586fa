/** Where a job runs. */
import type { Schemas } from '~/api/client';
import { defineWords } from '~/i18n/words';

type Each = Record<Schemas['Execution'], string>;

export const tierWords = defineWords({ local: 'Local', k8s: 'Kubernetes', image: 'Image' } satisfies Each, {
  local: '로컬',
  k8s: 'Kubernetes',
  image: '이미지',
});
