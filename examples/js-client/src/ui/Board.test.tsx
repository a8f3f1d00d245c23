// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { SocketProvider } from "../socket";
import { getConnection } from "../socket/connection";
import { Board } from "./Board";

afterEach(cleanup);

test("who leaves another room stays on the board of this one", () => {
  render(
    <SocketProvider namespace="/chat" enabled={false}>
      <Board room="r" />
    </SocketProvider>,
  );
  const { socket } = getConnection({ namespace: "/chat" });
  const ben = { userId: "ben", user: "Ben", room: "r" };
  const leave = (room: string) => act(() => socket.listeners("user_left").forEach((listen) => listen({ ...ben, room, userCount: 1 })));
  act(() => socket.listeners("cursor_position").forEach((listen) => listen({ ...ben, x: 0.5, y: 0.5 })));
  leave("elsewhere");
  screen.getByText("Ben");
  leave("r");
  expect(screen.queryByText("Ben")).toBeNull();
});
