// A receiver of webhooks. go get github.com/standard-webhooks/standard-webhooks/libraries
// WEBHOOK_SECRET=whsec_… PORT=8080 go run receiver.go
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type delivery struct {
	id   string
	body []byte
}

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	work := make(chan delivery, 1000) // yours: a table or a queue that a crash does not empty
	go handle(work)
	receive := func(answer http.ResponseWriter, request *http.Request) {
		// The bytes as they came: verify first, parse afterwards.
		body, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, 1<<20))
		if err != nil {
			answer.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		if webhook.Verify(body, request.Header) != nil { // also refuses what is older than 5 minutes
			answer.WriteHeader(http.StatusUnauthorized)
			return
		}
		work <- delivery{request.Header.Get("webhook-id"), body}
		answer.WriteHeader(http.StatusNoContent) // answer first, work afterwards
	}
	server := http.Server{
		Addr:        "127.0.0.1:" + os.Getenv("PORT"),
		Handler:     http.HandlerFunc(receive),
		ReadTimeout: 15 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

func handle(work <-chan delivery) {
	handled := map[string]bool{} // yours: written in the transaction of the work itself
	for one := range work {
		var event struct{ Type string }
		if handled[one.id] || json.Unmarshal(one.body, &event) != nil {
			continue // a repeat has the same webhook-id
		}
		fmt.Println("handled", one.id, event.Type)
		handled[one.id] = true
	}
}
