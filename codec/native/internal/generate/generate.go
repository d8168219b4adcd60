package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

const (
	source = "gatepass.proto"
	// module is removed from go_package, so that file names are relative to this folder.
	module = "gatepass/codec/native"
	// descriptorFile has the present contract, baselineFile the contract as first published.
	// This program never writes the baseline.
	descriptorFile = "testdata/gatepass.binpb"
	baselineFile   = "testdata/contract-v1.binpb"
)

// Generate compiles the contract in dir and returns the generated files, by file name relative
// to dir.
func Generate(dir string) (map[string][]byte, error) {
	file, err := compile(dir)
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	files, err := goFiles(file)
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	// Only the Go code needs the comments; the descriptor has none.
	bare := proto.Clone(file).(*descriptorpb.FileDescriptorProto)
	bare.SourceCodeInfo = nil
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{bare}}
	if files[descriptorFile], err = (proto.MarshalOptions{Deterministic: true}).Marshal(set); err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	return files, nil
}

// compile reads the contract with its comments.
func compile(dir string) (*descriptorpb.FileDescriptorProto, error) {
	c := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{filepath.Clean(dir)}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := c.Compile(context.Background(), source)
	if err != nil {
		return nil, err
	}
	return protodesc.ToFileDescriptorProto(files[0]), nil
}

// goFiles runs the generator of the protobuf module in this process, with the input that
// protoc would give it.
func goFiles(file *descriptorpb.FileDescriptorProto) (map[string][]byte, error) {
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{source},
		Parameter:      proto.String("module=" + module),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{file},
	}
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		return nil, err
	}
	for _, f := range plugin.Files {
		if f.Generate {
			internal_gengo.GenerateFile(plugin, f)
		}
	}
	response := plugin.Response()
	if response.Error != nil {
		return nil, fmt.Errorf("generator: %s", *response.Error)
	}
	files := map[string][]byte{}
	for _, f := range response.File {
		files[f.GetName()] = []byte(f.GetContent())
	}
	return files, nil
}
