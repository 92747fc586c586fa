import { defineWords } from '~/i18n/words';

export const signInWords = defineWords(
  {
    title: 'Sign in',
    name: 'Name',
    password: 'Password',
    signIn: 'Sign in',
    linkHelp:
      'On the machine itself, `trainyard link` prints an address that signs you in once. Elsewhere, an administrator gives you a name and a password.',
    linkUsed: 'This link was used already, or is older than 15 minutes. `trainyard link` makes a new one.',
    wrong: 'Name or password is wrong.',
    signingIn: 'Signing in …',
  },
  {
    title: '로그인',
    name: '이름',
    password: '비밀번호',
    signIn: '로그인',
    linkHelp:
      '이 컴퓨터에서는 `trainyard link`가 한 번만 쓸 수 있는 로그인 주소를 출력합니다. 다른 곳에서는 관리자에게 이름과 비밀번호를 받으십시오.',
    linkUsed: '이미 사용했거나 15분이 지난 링크입니다. `trainyard link`로 새로 만드십시오.',
    wrong: '이름 또는 비밀번호가 올바르지 않습니다.',
    signingIn: '로그인하는 중 …',
  },
);
