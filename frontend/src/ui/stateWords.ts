import { defineWords } from '~/i18n/words';

export const stateWords = defineWords(
  {
    PENDING: 'Pending',
    QUEUED: 'Queued',
    RUNNING: 'Running',
    SUCCEEDED: 'Succeeded',
    FAILED: 'Failed',
    CANCELLED: 'Cancelled',
    CANCELLING: 'Cancelling',
  },
  {
    PENDING: '준비 중',
    QUEUED: '대기 중',
    RUNNING: '학습 중',
    SUCCEEDED: '완료',
    FAILED: '실패',
    CANCELLED: '취소됨',
    CANCELLING: '취소하는 중',
  },
);
