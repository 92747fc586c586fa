import { defineWords } from '~/i18n/words';

export const bannerWords = defineWords(
  {
    failed: 'Failed',
    warning: 'Completed, but:',
    retry: 'Retry',
    retryWith: (settings: string) => `Retry with ${settings}`,
    resume: 'Continue from the last checkpoint',
    fullLog: 'Full log',
    evidence: 'What shows it',
    parameter: (name: string, value: string) => `The trainer did not accept the parameter ${name} = ${value}.`,
  },
  {
    failed: '실패',
    warning: '완료되었지만 확인이 필요합니다:',
    retry: '다시 시도',
    retryWith: (settings: string) => `${settings} 설정으로 다시 시도`,
    resume: '마지막 체크포인트에서 이어서 학습',
    fullLog: '전체 로그',
    evidence: '근거',
    parameter: (name: string, value: string) => `트레이너가 파라미터 ${name} = ${value} 값을 받아들이지 않았습니다.`,
  },
);
