// An OpenID Connect provider: the package oidc-provider with minimal sign-in and consent pages.
//
// For browsers it is another site than webchat (localhost, not 127.0.0.1), as real providers are.

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Oidc from "oidc-provider";

/** The claims of an account. */
export interface Claims {
  preferred_username?: string;
  email?: string;
  name?: string;
}

export const clientId = "webchat";

const page = (body: string) =>
  `<!DOCTYPE html><html lang="en"><title>Provider</title><form method="post">${body}</form></html>`;
const loginPage = page(
  `<label>Who are you? <input name="account" required></label> <button>Go on</button>`,
);
const consentPage = page(
  `<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Deny</button>`,
);

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

export class Provider {
  /** The provider's accounts by their subject. */
  readonly accounts = new Map<string, Claims>();
  private oidc?: InstanceType<typeof Oidc>;

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {}

  static async start(): Promise<Provider> {
    const server = createServer((request, response) => {
      // A page of a finished interaction answers 400 instead of failing the test.
      provider.answer(request, response).catch(() => response.writeHead(400).end());
    });
    server.listen(0, "localhost");
    await once(server, "listening");
    const provider = new Provider(
      server,
      `http://localhost:${(server.address() as AddressInfo).port}`,
    );
    return provider;
  }

  /** Registers the webchat server at `site` as the client, confidential if a secret is given. */
  serve(site: string, secret?: string): void {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const client = {
      client_id: clientId,
      redirect_uris: [`${site}/login/openid/callback`],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      require_auth_time: true,
      ...(secret ? { client_secret: secret } : { token_endpoint_auth_method: "none" }),
    };
    this.oidc = new Oidc(this.issuer, {
      clients: [client],
      jwks: {
        keys: [{ ...privateKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" }],
      },
      cookies: { keys: ["for tests"] },
      claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"] },
      features: { devInteractions: { enabled: false } },
      ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      pkce: { required: () => true },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      findAccount: (_: unknown, accountId: string) => {
        const claims = this.accounts.get(accountId);
        return claims && { accountId, claims: () => ({ sub: accountId, ...claims }) };
      },
    });
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.oidc) return void response.writeHead(503).end();
    if (!request.url?.startsWith("/interaction/"))
      return void this.oidc.callback()(request, response);
    const { prompt, params, session } = await this.oidc.interactionDetails(request, response);
    if (request.method !== "POST") {
      response.setHeader("Content-Type", "text/html");
      return void response.end(prompt.name === "login" ? loginPage : consentPage);
    }
    const sent = await readForm(request);
    const result = async () => {
      if (prompt.name === "login") return { login: { accountId: sent.get("account") } };
      if (sent.get("answer") === "deny")
        return { error: "access_denied", error_description: "a detail" };
      const grant = new this.oidc!.Grant({ accountId: session.accountId, clientId });
      grant.addOIDCScope(params.scope);
      return { consent: { grantId: await grant.save() } };
    };
    await this.oidc.interactionFinished(request, response, await result());
  }
}
