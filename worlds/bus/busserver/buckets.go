package busserver

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// maxReplicas is how many servers of a cluster store the buckets. With three copies one
// server may fail. Two copies would need both servers.
const maxReplicas = 3

// bucketConfigs returns the configuration of the managers' two buckets. They are read
// through the leader of the stream only, without direct reads: a copy that lags could show
// a lease that is over, and a manager could have a direct answer sent, unchanged, to any
// subject.
func bucketConfigs(replicas int) []jetstream.StreamConfig {
	bucket := func(name string, size int64) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: wire.StreamOf(name), Subjects: []string{"$KV." + name + ".>"},
			Storage: jetstream.FileStorage, Replicas: replicas,
			MaxMsgsPerSubject: 1, MaxBytes: size, MaxMsgs: -1, MaxConsumers: -1, MaxMsgSize: wire.MaxPayload,
			Discard: jetstream.DiscardNew, AllowRollup: true, DenyDelete: true, Duplicates: 2 * time.Minute,
		}
	}
	return []jetstream.StreamConfig{bucket(wire.BucketWorlds, worldsBucketSize), bucket(wire.BucketLease, leaseBucketSize)}
}

// replicasFor returns how many copies of the buckets the cluster stores.
func replicasFor(o Options) int {
	if len(o.Routes) < maxReplicas {
		return 1
	}
	return maxReplicas
}

// SetupOptions say where Setup creates the buckets.
type SetupOptions struct {
	// Dir is the authority's folder, or a copy of it without keys/.
	Dir string
	// URL of the servers.
	URL string
	// Replicas is how many servers store a copy, 1 or 3.
	Replicas int
}

// Setup creates the managers' buckets on servers that gatepass does not run. It changes
// nothing if they exist. An embedded server creates them itself.
func Setup(ctx context.Context, o SetupOptions) error {
	if o.Replicas != 1 && o.Replicas != maxReplicas {
		return fmt.Errorf("bus: replicas: %d is not 1 or %d", o.Replicas, maxReplicas)
	}
	settings := []nats.Option{nats.UserCredentials(filepath.Join(o.Dir, credentials.FileSetup)), setupInbox()}
	demand, err := credentials.DemandsTLS(o.URL, "")
	if err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	if demand {
		settings = append(settings, nats.RootCAs(filepath.Join(o.Dir, credentials.FileCA)), nats.Secure())
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

func setupInbox() nats.Option { return nats.CustomInboxPrefix("_INBOX." + credentials.SetupName) }

// startBuckets creates the buckets: before it returns if there is no cluster, else in the
// background.
func (s *Server) startBuckets(creds string, replicas int) error {
	client, err := s.connectSetup(creds)
	if err != nil {
		return fmt.Errorf("%s: %w", credentials.FileSetup, err)
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

// connectSetup connects the server's own user. It retries for a while, because
// unauthenticated clients may hold all connections.
func (s *Server) connectSetup(creds string) (client *nats.Conn, err error) {
	for attempt := range setupAttempts {
		client, err = nats.Connect("", nats.InProcessServer(s), nats.UserCredentials(creds), setupInbox(), nats.MaxReconnects(-1))
		if err == nil || !retry.Passes(err) || !retry.Sleep(s.life, retry.Backoff(attempt, retryMin, bucketsRetry)) {
			break
		}
	}
	return client, err
}

// patientBuckets creates the buckets. It retries for a while if an attempt fails for a
// reason that passes by itself, such as a slow disk or an overloaded machine.
func (s *Server) patientBuckets(client *nats.Conn, replicas int) (err error) {
	for attempt := range bucketsAttempts {
		err = ensureBuckets(s.life, client, replicas)
		if err == nil || !retry.Passes(err) || !retry.Sleep(s.life, retry.Backoff(attempt, retryMin, bucketsRetry)) {
			break
		}
		s.log.Warn("bus: the buckets could not be created in time, trying again", "error", err)
	}
	return err
}

// retryBuckets tries to create the buckets until the other servers of the cluster have
// started.
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
		s.log.Debug("bus: the buckets could not be created yet", "error", err)
		select {
		case <-s.life.Done():
			return
		case <-pause.C:
		}
	}
}

// ensureBuckets creates the buckets that are missing, and adds copies if the cluster has
// grown.
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
