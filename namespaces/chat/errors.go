package chat

import (
	"fmt"

	"github.com/seed3686fee0/parlor/server"
)

// What clients are told, by code. Every code of a client's error is here.
const (
	codeInvalidPayload  = "invalid_payload"
	codeNotInRoom       = "not_in_room"
	codeTooManyRooms    = "too_many_rooms"
	codeMessageTooLarge = "message_too_large"
	codeRateLimited     = "rate_limited"
	codeForbidden       = "forbidden"
	codeInternal        = "internal"
)

// The errors that are the same for everyone are made once: the answer to a
// flood should cost little.
var (
	errNotInRoom   = &server.ClientError{Code: codeNotInRoom, Message: "Not in this room"}
	errRateLimited = &server.ClientError{Code: codeRateLimited, Message: "Rate limit exceeded"}
	errInternal    = &server.ClientError{Code: codeInternal, Message: "internal error"}

	// Who is in a room of this name gets what is meant for one socket alone.
	errSocketRoom = &server.ClientError{Code: codeForbidden, Message: "This is the room of one socket"}

	errReserved = &server.ClientError{Code: codeForbidden, Message: "The name of this room is the server's"}

	errNoRoom      = invalid("a room is needed")
	errWhichRoom   = invalid("a room is needed: not in exactly one")
	errNoObject    = invalid("an object is needed")
	errNoContent   = invalid("content is to be a string")
	errNotTyping   = invalid("isTyping is to be true or false")
	errNoPosition  = invalid("x and y are to be numbers")
	errStatus      = invalid("status is to be online, away or offline")
	errTo          = invalid(fmt.Sprintf("to is to be a user's id of 1 to %d characters", maxTo))
	errBothBounds  = invalid("before and after exclude each other")
	errBound       = invalid("before and after are to be ids of messages")
	errLimit       = invalid("limit is to be an integer from 1 on")
	errNoBinary    = invalid("a binary argument is needed")
	errFileName    = invalid(fmt.Sprintf("name is to be a string of at most %d characters", maxFileName))
	errClientMsgID = invalid(fmt.Sprintf("clientMsgId is to be a string of at most %d characters", maxClientMsgID))
	errUsername    = invalid(fmt.Sprintf("username is to be a string of at most %d characters", maxUserName))
)

func invalid(message string) *server.ClientError {
	return &server.ClientError{Code: codeInvalidPayload, Message: message}
}
