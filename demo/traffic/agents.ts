/** What visitors browse with, and what comes uninvited. */
export interface Agent {
  weight: number;
  userAgent: string;
  httpProtocol: string;
  isBot?: boolean;
}

export const AGENTS: readonly Agent[] = [
  {
    weight: 30,
    userAgent:
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    httpProtocol: "HTTP/3",
  },
  {
    weight: 24,
    userAgent:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
    httpProtocol: "HTTP/2",
  },
  {
    weight: 18,
    userAgent:
      "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    httpProtocol: "HTTP/3",
  },
  {
    weight: 12,
    userAgent:
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
    httpProtocol: "HTTP/2",
  },
  {
    weight: 8,
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    httpProtocol: "HTTP/2",
  },
  { weight: 5, userAgent: "ShopApp/7.3.1 (Android 16)", httpProtocol: "HTTP/2" },
  {
    weight: 2,
    userAgent: "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/)",
    httpProtocol: "HTTP/1.1",
    isBot: true,
  },
  { weight: 1, userAgent: "python-requests/2.32.3", httpProtocol: "HTTP/1.1", isBot: true },
];
