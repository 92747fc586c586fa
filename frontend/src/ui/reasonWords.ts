/** Why a job ended, in a few words: for lists, headers and the banner. */
import type { Schemas } from '~/api/client';
import { defineWords } from '~/i18n/words';

export type Reason = Schemas['Reason'];

type Each = Record<Reason, string>;

export const reasonWords = defineWords(
  {
    Completed: 'Completed',
    CancelledByUser: 'Cancelled by a person',
    CancelledBySignal: 'Stopped by a signal',
    TrainerError: 'The trainer failed',
    BadConfiguration: 'A setting does not fit',
    OutOfMemory: 'Out of memory',
    Killed: 'Killed from outside',
    HeartbeatLost: 'Fell silent',
    ExitedWithoutDone: 'Ended without a result',
    LaunchFailed: 'Could not be started',
    EnvironmentFailed: 'Packages could not be installed',
    SupervisorLost: 'Its supervisor is gone',
    MachineRestarted: 'The machine was restarted',
    DiskFull: 'The disk is full',
    CheckpointLost: 'The checkpoint could not be stored',
    Timeout: 'Ran past its time limit',
    Evicted: 'Taken off its node',
    ImagePull: 'The image could not be pulled',
    Unschedulable: 'No node has room for it',
  } satisfies Each,
  {
    Completed: '정상 완료',
    CancelledByUser: '사용자가 취소',
    CancelledBySignal: '시그널로 중단됨',
    TrainerError: '트레이너 오류',
    BadConfiguration: '맞지 않는 설정값',
    OutOfMemory: '메모리 부족',
    Killed: '외부에서 강제 종료됨',
    HeartbeatLost: '응답 없음',
    ExitedWithoutDone: '결과 없이 종료됨',
    LaunchFailed: '시작 실패',
    EnvironmentFailed: '패키지 설치 실패',
    SupervisorLost: '감독 프로세스 종료됨',
    MachineRestarted: '컴퓨터가 재시작됨',
    DiskFull: '디스크 공간 부족',
    CheckpointLost: '체크포인트 저장 실패',
    Timeout: '제한 시간 초과',
    Evicted: '노드에서 축출됨',
    ImagePull: '이미지를 가져오지 못함',
    Unschedulable: '배치할 노드 없음',
  },
);
