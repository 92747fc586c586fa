import { defineWords } from '~/i18n/words';

export const registerWords = defineWords(
  {
    title: 'Register what is in the store',
    explain:
      'Pictures that lie below imports/ in the store become a dataset without an upload. A zip there is taken as it is.',
    where: 'Place in the store',
    up: 'Up',
    folders: 'Folders here',
    nothing: 'Nothing lies here. Put pictures into the store at imports/NAME/ first.',
    pictures: (count: string) => `${count} pictures below`,
    atLeast: (count: string) => `More than ${count} pictures below`,
    name: 'Name',
    nameHelp: 'Empty: the last part of the place',
    close: 'Close',
    register: 'Register',
    registering: 'Registering …',
    choose: 'Choose a folder or a zip below imports/.',
    done: (name: string) => `${name} is registered. Its check goes on by itself.`,
    known: (name: string) => `This very content is a dataset already: ${name}.`,
  },
  {
    title: '저장소에 있는 이미지 등록',
    explain:
      '저장소의 imports/ 아래에 있는 이미지를 업로드 없이 데이터셋으로 등록합니다. zip 파일은 그대로 사용합니다.',
    where: '저장소 경로',
    up: '상위 폴더',
    folders: '하위 폴더',
    nothing: '아무것도 없습니다. 먼저 저장소의 imports/이름/ 에 이미지를 넣으십시오.',
    pictures: (count: string) => `하위 이미지 ${count}장`,
    atLeast: (count: string) => `하위 이미지 ${count}장 이상`,
    name: '이름',
    nameHelp: '비우면 경로의 마지막 부분을 이름으로 사용합니다',
    close: '닫기',
    register: '등록',
    registering: '등록하는 중 …',
    choose: 'imports/ 아래의 폴더나 zip 파일을 고르십시오.',
    done: (name: string) => `${name} 데이터셋을 등록했습니다. 검사는 자동으로 이어집니다.`,
    known: (name: string) => `내용이 똑같은 데이터셋이 이미 있습니다: ${name}`,
  },
);
