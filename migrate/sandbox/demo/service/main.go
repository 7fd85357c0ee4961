// Command app is the service that the demo migrates: it says which architecture it runs on.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// version is set by the linker.
var version = "development"

// drain is shorter than the 30 seconds that ECS waits between SIGTERM and SIGKILL.
const drain = 20 * time.Second

func main() {
	address := ":8080"
	if port := os.Getenv("PORT"); port != "" {
		address = ":" + port
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(answer http.ResponseWriter, _ *http.Request) {
		answer.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("GET /{$}", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(answer).Encode(map[string]string{"architecture": runtime.GOARCH, "version": version})
	})
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	ending, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.Printf("version %s on %s/%s listens on %s", version, runtime.GOOS, runtime.GOARCH, address)

	select {
	case err := <-failed:
		log.Fatalf("cannot serve: %v", err)
	case <-ending.Done():
	}
	// A Spot task gets SIGTERM two minutes ahead: what is being answered is answered to its end.
	finish, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := server.Shutdown(finish); err != nil && !errors.Is(err, http.ErrServerClosed) {
		log.Fatalf("requests were cut off: %v", err)
	}
	log.Print("stopped, nothing was cut off")
}
