package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxReplicas is how many servers of a cluster keep the buckets: with three, one
// may be lost. Two would be lost with either.
const maxReplicas = 3

// bucketConfigs are the managers' two buckets. They are read through the leader
// of the stream only (no direct reads): a copy that lags could show a lease that
// is over, and direct answers would go, as they were written, to any subject.
func bucketConfigs(replicas int) []jetstream.StreamConfig {
	bucket := func(name string, size int64) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: streamOf(name), Subjects: []string{"$KV." + name + ".>"},
			Storage: jetstream.FileStorage, Replicas: replicas,
			MaxMsgsPerSubject: 1, MaxBytes: size, MaxMsgs: -1, MaxConsumers: -1, MaxMsgSize: maxPayload,
			Discard: jetstream.DiscardNew, AllowRollup: true, DenyDelete: true, Duplicates: 2 * time.Minute,
		}
	}
	return []jetstream.StreamConfig{bucket(bucketWorlds, worldsBucketSize), bucket(bucketLease, leaseBucketSize)}
}

// replicasFor is how many copies the cluster keeps.
func replicasFor(o ServerOptions) int {
	if len(o.Routes) < maxReplicas {
		return 1
	}
	return maxReplicas
}

// SetupOptions say where buckets are made.
type SetupOptions struct {
	// Dir is the authority's folder; a copy without keys/ will do.
	Dir string
	// URL of the servers.
	URL string
	// Replicas is how many servers keep a copy, 1 or 3.
	Replicas int
}

// Setup makes the managers' buckets on servers that gatepass does not run, and
// changes nothing where they are there. An embedded server does it by itself.
func Setup(ctx context.Context, o SetupOptions) error {
	if o.Replicas != 1 && o.Replicas != maxReplicas {
		return fmt.Errorf("bus: replicas: %d is not 1 or %d", o.Replicas, maxReplicas)
	}
	authority := Authority{dir: o.Dir}
	settings := []nats.Option{nats.UserCredentials(authority.path(fileSetup)), setupInbox()}
	demand, err := demandsTLS(Options{URL: o.URL})
	if err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	if demand {
		settings = append(settings, nats.RootCAs(authority.CA()), nats.Secure())
	}
	client, err := nats.Connect(o.URL, settings...)
	if err != nil {
		return fmt.Errorf("bus: url %s: %w", o.URL, err)
	}
	defer client.Close()
	if err := ensureBuckets(ctx, client, o.Replicas); err != nil {
		return fmt.Errorf("bus: buckets: %w", err)
	}
	return nil
}

func setupInbox() nats.Option { return nats.CustomInboxPrefix("_INBOX." + setupName) }

// startBuckets makes the buckets, at once when this server is alone.
func (s *Server) startBuckets(creds string, replicas int) error {
	client, err := s.connectSetup(creds)
	if err != nil {
		return fmt.Errorf("%s: %w", fileSetup, err)
	}
	if !s.clustered {
		defer client.Close()
		defer close(s.buckets)
		return s.patientBuckets(client, replicas)
	}
	s.background.Add(1)
	go s.retryBuckets(client, replicas)
	return nil
}

// connectSetup connects the server's own user. Strangers may have taken all places just
// now, so it tries on for a while.
func (s *Server) connectSetup(creds string) (client *nats.Conn, err error) {
	for attempt := range setupAttempts {
		client, err = nats.Connect("", nats.InProcessServer(s), nats.UserCredentials(creds), setupInbox(), nats.MaxReconnects(-1))
		if err == nil || !comesLater(err) || !sleep(s.life, backoff(attempt, reconnectMin, bucketsRetry)) {
			break
		}
	}
	return client, err
}

// patientBuckets makes the buckets, and tries on for a while where an attempt fails for a
// reason that passes: a slow disk, or a machine that has too much to do.
func (s *Server) patientBuckets(client *nats.Conn, replicas int) (err error) {
	for attempt := range bucketsAttempts {
		err = ensureBuckets(s.life, client, replicas)
		if err == nil || !comesLater(err) || !sleep(s.life, backoff(attempt, reconnectMin, bucketsRetry)) {
			break
		}
		s.log.Warn("bus: the buckets could not be made in time, trying on", "error", err)
	}
	return err
}

// retryBuckets waits for the other servers of the cluster.
func (s *Server) retryBuckets(client *nats.Conn, replicas int) {
	defer s.background.Done()
	defer client.Close()
	pause := time.NewTicker(bucketsRetry)
	defer pause.Stop()
	for {
		err := ensureBuckets(s.life, client, replicas)
		if err == nil {
			close(s.buckets)
			return
		}
		s.log.Debug("bus: the buckets have to wait", "error", err)
		select {
		case <-s.life.Done():
			return
		case <-pause.C:
		}
	}
}

// ensureBuckets makes what is missing, and adds copies where a cluster has grown.
func ensureBuckets(ctx context.Context, client *nats.Conn, replicas int) error {
	ctx, cancel := context.WithTimeout(ctx, bucketsLimit)
	defer cancel()
	js, err := jetstream.New(client)
	if err != nil {
		return err
	}
	for _, config := range bucketConfigs(replicas) {
		stream, err := js.Stream(ctx, config.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			_, err = js.CreateStream(ctx, config)
		case err == nil && stream.CachedInfo().Config.Replicas < replicas:
			_, err = js.UpdateStream(ctx, config)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", config.Name, err)
		}
	}
	return nil
}
