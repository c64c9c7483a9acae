import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  ErrorSchema,
  type IdentityAccept,
  type IdentityAcceptResponse,
  IdentityAcceptResponseSchema,
  IdentityAcceptSchema,
  PostParamsSchema,
} from '#contract/http.js';
import { bodyOf } from './body.js';
import type { AppDeps } from './deps.js';
import { postUnknown } from './problem.js';

/** `POST /posts/:post/identity/accept` */
export async function identityRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.post<{ Params: Static<typeof PostParamsSchema>; Body: IdentityAccept }>(
    '/posts/:post/identity/accept',
    {
      schema: {
        summary: 'A person has looked who speaks for this post, and takes it as it is',
        description:
          'Trusts every key that was heard of the post, and ends what stands: a key that changed, an older copy of the outbox, two ' +
          'gateways in turn. Switch a gateway that should not be there off first: what it says next raises the conflict again.',
        params: PostParamsSchema,
        body: IdentityAcceptSchema,
        response: { 200: IdentityAcceptResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
      validatorCompiler: bodyOf(IdentityAcceptSchema),
    },
    async (request): Promise<IdentityAcceptResponse> => {
      const accepted = deps.ingest.acceptIdentity(request.params.post, request.body.by);
      if (!accepted.ok) throw postUnknown(request.params.post);
      return { cleared: [...(accepted.value?.kinds ?? [])] };
    },
  );
}
