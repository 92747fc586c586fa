import { defineWords } from '~/i18n/words';

export const toldWords = defineWords(
  {
    again: 'Try again',
    unreachable: 'The backend does not answer. Is it running? `trainyard up` starts it.',
    unauthorized: 'You are signed out.',
    forbidden: 'Your role does not allow this.',
    missing: 'This is not here, or not for you to see.',
    conflict: 'This can’t be done as things stand.',
    tooLarge: 'This is too large.',
    tooMany: 'Too many tries. Wait a moment.',
    unavailable: 'The backend could not do this just now.',
    invalid: 'This was not accepted.',
    broken: (what: string) => `Something in this page broke: ${what}`,
  },
  {
    again: '다시 시도',
    unreachable: '백엔드가 응답하지 않습니다. 실행 중인지 확인하십시오. `trainyard up`으로 시작합니다.',
    unauthorized: '로그아웃된 상태입니다.',
    forbidden: '현재 역할로는 할 수 없는 작업입니다.',
    missing: '존재하지 않거나 볼 권한이 없습니다.',
    conflict: '지금 상태에서는 할 수 없습니다.',
    tooLarge: '크기가 너무 큽니다.',
    tooMany: '시도 횟수가 너무 많습니다. 잠시 후 다시 시도하십시오.',
    unavailable: '백엔드가 지금은 처리하지 못했습니다.',
    invalid: '입력이 받아들여지지 않았습니다.',
    broken: (what: string) => `페이지에 오류가 발생했습니다: ${what}`,
  },
);
