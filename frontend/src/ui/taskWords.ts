/** What a model learns, as a label. */
import { defineWords } from '~/i18n/words';

export const taskWords = defineWords(
  { detect: 'Detection', classify: 'Classification' },
  { detect: '객체 탐지', classify: '분류' },
);
